"""Whether we and what we depend on can work. Nothing here writes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable, DrydockError
from drydock.model.health import DependencyHealth
from drydock.single_flight import SingleFlight

LOG = logging.getLogger(__name__)

#: However many dependencies hang, this is how long it takes to say so.
PATIENCE_SECONDS = 3.0


class Health:
    def __init__(self, database: Database, checks: Mapping[str, Callable[[], None]]) -> None:
        """``checks``: by the dependency's name; each raises a ``DrydockError`` when it is not well."""
        self._database = database
        everything = {"database": self.ping, "workers": self._workers, **checks}
        self._checks = {name: _timed(check) for name, check in everything.items()}
        self._checking: SingleFlight[str, float] = SingleFlight()

    def ping(self) -> None:
        """Raises ``DatabaseUnavailable``, also where the schema is not this version's or nothing can be written."""
        self._database.check()

    def dependencies(self) -> tuple[DependencyHealth, ...]:
        """All are asked side by side; what has not answered in ``PATIENCE_SECONDS`` is not well."""
        began = time.monotonic()
        asked = {name: self._checking.start(name, check) for name, check in self._checks.items()}
        return tuple(_outcome(name, answer, began) for name, answer in asked.items())

    def _workers(self) -> None:
        try:
            with self._database.statements() as statements:
                alive = statements.workers.alive()
        except DatabaseUnavailable as exc:
            raise DrydockError("not known: the database did not answer") from exc
        if not alive:
            raise DrydockError("no worker is alive: tasks wait until a drydock-worker runs")


def _timed(check: Callable[[], None]) -> Callable[[], float]:
    def run() -> float:
        began = time.monotonic()
        check()
        return time.monotonic() - began

    return run


def _outcome(name: str, answer: Future[float], began: float) -> DependencyHealth:
    try:
        failed = answer.exception(timeout=max(0.0, PATIENCE_SECONDS - (time.monotonic() - began)))
    except TimeoutError:
        detail = f"no answer within {PATIENCE_SECONDS:g} seconds"
        return DependencyHealth(name, healthy=False, detail=detail, seconds=PATIENCE_SECONDS)
    if failed is None:
        return DependencyHealth(name, healthy=True, seconds=answer.result())
    if not isinstance(failed, DrydockError):
        # What is not foreseen of one must not hide what the others answered.
        LOG.error("the check of %s failed", name, exc_info=failed)
    detail = str(failed) if isinstance(failed, DrydockError) else "the check failed; see the log of the API"
    return DependencyHealth(name, healthy=False, detail=detail, seconds=time.monotonic() - began)
