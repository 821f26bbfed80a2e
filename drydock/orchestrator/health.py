"""Whether we and what we depend on can work. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drydock.db.unit_of_work import Database
from drydock.errors import DrydockError
from drydock.model.health import DependencyHealth


class Health:
    def __init__(self, database: Database, checks: Mapping[str, Callable[[], None]]) -> None:
        """``checks``: by the dependency's name; each raises a ``DrydockError`` when it is not well."""
        self._database = database
        self._checks = checks

    def ping(self) -> None:
        """Raises ``DatabaseUnavailable``, also where the schema is not this version's or nothing can be written."""
        self._database.check()

    def dependencies(self) -> tuple[DependencyHealth, ...]:
        everything = {"database": self.ping, **self._checks}
        return tuple(_look(name, check) for name, check in everything.items())


def _look(name: str, check: Callable[[], None]) -> DependencyHealth:
    try:
        check()
    except DrydockError as exc:
        return DependencyHealth(name, healthy=False, detail=str(exc))
    return DependencyHealth(name, healthy=True)
