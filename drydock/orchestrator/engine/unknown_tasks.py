"""Due tasks that this version does not know: a newer one's, after a release was taken back. They are left alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from uuid import UUID

from drydock.db.database import Database
from drydock.metrics import EngineMetrics

LOG = logging.getLogger(__name__)

#: Between two looks, in seconds.
PAUSE = 60.0
#: Maximum number of tasks named in the log at a time.
NAMED = 20


class UnknownTasks:
    """Says in the log, once of each, which tasks are left alone; and by a metric how many there are."""

    def __init__(
        self,
        database: Database,
        steps: Collection[str],
        metrics: EngineMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``steps``: known ones, as "action step"."""
        self._database = database
        self._steps = steps
        self._metrics = metrics
        self._clock = clock
        self._next = clock()
        self._named: frozenset[UUID] = frozenset()

    def look(self) -> None:
        """Look, if the last time is long enough ago. Raises ``DatabaseUnavailable``."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + PAUSE
        with self._database.statements() as uow:
            unknown = uow.leases.unknown(steps=self._steps, at_most=NAMED)
        self._metrics.unknown_tasks.set(unknown.number)
        for task in unknown.examples:
            if task.id not in self._named:
                LOG.warning(
                    "left alone: this version does not know what the task is at; a newer one does, or terminate it",
                    extra={"task": str(task.id), "action": task.action, "step": task.step, "status": task.status},
                )
        self._named = frozenset(task.id for task in unknown.examples)
