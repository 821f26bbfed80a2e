"""Due tasks that this release cannot work on, as after a rollback: left alone, logged and counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from uuid import UUID

from drydock.db.unit_of_work import Database
from drydock.metrics import Metrics

LOG = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 60.0
#: Tasks that are remembered as logged.
MOST = 10_000


class UnknownWork:
    """``known``: ``action/step`` of what this release can work on."""

    def __init__(self, database: Database, known: Sequence[str], metrics: Metrics) -> None:
        self._database = database
        self._known = known
        self._gauge = metrics.unknown_tasks
        self._logged: set[UUID] = set()
        self._next = 0.0

    def look(self) -> None:
        """Log each such task once, at most every ``INTERVAL``. Raises ``DatabaseUnavailable``."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        with self._database.statements() as uow:
            found = uow.leases.unknown(self._known)
        self._gauge.set(len(found))
        for row in found:
            if row.id in self._logged or len(self._logged) >= MOST:
                continue
            self._logged.add(row.id)
            LOG.warning(
                "left alone: this release does not know the task's action, step, lane or status",
                extra={
                    "task": str(row.id),
                    "action": row.action,
                    "step": row.step,
                    "lane": row.lane,
                    "status": row.status,
                },
            )
