"""When machines were heard of, as their fetches and reports tell: most installers post no events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable

#: So exact, in seconds, is a last contact: what a machine asks for in one go is written down once.
INTERVAL = 10.0
#: Machines that are remembered; more than a process serves in an interval.
_MOST = 10_000


class Contacts:
    """One process's view. A machine's first contact is written at once, each later one after ``INTERVAL`` seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._written: dict[UUID, float] = {}
        self._lock = threading.Lock()

    def heard(self, context_id: UUID) -> None:
        """Of the machine with this boot context, just now. Never raises for a database that does not answer."""
        if not self._is_due(context_id):
            return
        try:
            with self._database.statements() as uow:
                uow.machines.heard(context_id)
        except DatabaseUnavailable:
            # The machine has what it came for. Its next contact is written instead.
            with self._lock:
                self._written.pop(context_id, None)

    def _is_due(self, context_id: UUID) -> bool:
        now = self._clock()
        with self._lock:
            written = self._written.get(context_id)
            if written is not None and now - written < INTERVAL:
                return False
            if len(self._written) >= _MOST:
                self._written = {known: when for known, when in self._written.items() if now - when < INTERVAL}
            self._written[context_id] = now
            return True
