"""When machines were heard of, as their fetches and reports tell: most installers post no events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable

#: So exact, in seconds, is a last contact: what a machine asks for in one go is written down once.
INTERVAL = 10.0
#: Seconds until contacts are written, those of all machines that were heard of meanwhile in one statement.
DELAY = 0.25
#: Machines that are remembered; more than a process serves in an interval.
_MOST = 10_000


def _later(write: Callable[[], None]) -> None:
    """Not a daemon's thread: the process waits for it at its end."""
    threading.Timer(DELAY, write).start()


class Contacts:
    """One process's view: a machine's first contact and, each ``INTERVAL`` seconds, a later one.

    No machine waits for its contact to be written: ``later`` has ``write`` called soon after, elsewhere. A process that
    is killed loses the contacts of that moment.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[Callable[[], None]], None] = _later,
    ) -> None:
        self._database = database
        self._clock = clock
        self._later = later
        self._known: dict[UUID, float] = {}
        self._unwritten: dict[UUID, float] = {}
        self._lock = threading.Lock()

    def heard(self, context_id: UUID) -> None:
        """Of the machine with this boot context, just now. Costs the caller no look at the database."""
        now = self._clock()
        known = self._known.get(context_id)
        if known is not None and now - known < INTERVAL:
            return
        with self._lock:
            if len(self._known) >= _MOST:
                # Forgetting all costs each machine one more contact; looking for those to keep, each request.
                self._known = {}
            self._known[context_id] = now
            first = not self._unwritten
            self._unwritten[context_id] = now
        if first:
            self._later(self.write)

    def write(self) -> None:
        """Write what was heard since the last time. Never raises for a database that does not answer."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
        if not unwritten:
            return
        now = self._clock()
        try:
            with self._database.statements() as uow:
                uow.boot_contacts.record_contacts({context_id: now - when for context_id, when in unwritten.items()})
        except DatabaseUnavailable:
            # The machines have what they came for. Their next contact is written instead.
            with self._lock:
                for context_id in unwritten:
                    self._known.pop(context_id, None)
