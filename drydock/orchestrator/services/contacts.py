"""When machines made requests: their contacts, written together. Most installers post no events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from drydock.batching import Batcher, start_timer
from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable

#: Resolution of a last contact, in seconds: of the requests within it one is written.
INTERVAL = 10.0
#: Seconds until contacts are written, those of all machines of that time in one statement.
DELAY = 0.25
#: Machines that are remembered; more than a process serves in an interval.
MOST = 10_000


class Contacts:
    """One process's view: a machine's first contact and, each ``INTERVAL`` seconds, a later one.

    No machine waits for its contact to be written: ``later`` has it written soon after, by another thread. A process
    that is killed loses the contacts of that moment.
    """

    def __init__(
        self,
        database: Database,
        *,
        at_most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = start_timer,
    ) -> None:
        self._database = database
        self._at_most = at_most
        self._clock = clock
        self._known: dict[UUID, float] = {}
        self._lock = threading.Lock()
        self._unwritten: Batcher[tuple[UUID, float]] = Batcher(
            self._write, delay=DELAY, at_most=at_most, prompt=False, later=later
        )

    def record(self, context_id: UUID) -> None:
        """The machine with this boot context made a request just now. Does not use the database."""
        now = self._clock()
        known = self._known.get(context_id)
        if known is not None and now - known < INTERVAL:
            return
        with self._lock:
            if len(self._known) >= self._at_most:
                # Forgetting all costs each machine one more contact; looking for those to keep, each request.
                self._known = {}
            self._known[context_id] = now
        self._unwritten.add((context_id, now))

    def _write(self, contacts: Sequence[tuple[UUID, float]]) -> None:
        """Never raises for a database that does not answer."""
        now = self._clock()
        latest = dict(contacts)
        try:
            with self._database.statements() as uow:
                uow.boot_contacts.record_contacts({context_id: now - when for context_id, when in latest.items()})
        except DatabaseUnavailable:
            # The machines have their answers. Their next contact is written instead.
            with self._lock:
                for context_id in latest:
                    self._known.pop(context_id, None)
