"""Waits for a task to change, for long polls. One listening connection per process, opened when first needed."""

from __future__ import annotations

import logging
import threading
import time

from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable

LOG = logging.getLogger(__name__)

#: However many changes are announced, a waiter looks at most this often.
SHORTEST_LOOK_SECONDS = 0.1
#: And at least this often, in case an announcement was lost.
LONGEST_LOOK_SECONDS = 5.0


class ChangeWaiter:
    """``mark`` before looking, ``wait_since`` that mark after: no change in between is missed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._count = 0
        self._listening = threading.Event()
        self._thread: threading.Thread | None = None

    def mark(self) -> int:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
                self._thread.start()
        self._listening.wait(SHORTEST_LOOK_SECONDS)
        with self._changed:
            return self._count

    def wait_since(self, mark: int, seconds: float) -> None:
        """Until some task changed after ``mark``, but no longer than ``seconds``."""
        deadline = time.monotonic() + min(seconds, LONGEST_LOOK_SECONDS)
        time.sleep(min(SHORTEST_LOOK_SECONDS, seconds))
        with self._changed:
            while self._count == mark:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    return

    def _listen(self) -> None:
        logged = False
        while True:
            try:
                with self._database.listen_for_changes() as listener:
                    self._listening.set()
                    logged = False
                    while True:
                        if listener.wait(60.0):
                            with self._changed:
                                self._count += 1
                                self._changed.notify_all()
            except DatabaseUnavailable as exc:
                self._listening.clear()
                if not logged:
                    # Once: an outage may last.
                    LOG.warning("not listening for changes: %s", exc)
                    logged = True
                time.sleep(1.0)
