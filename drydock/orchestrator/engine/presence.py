"""``Presence``: shows other processes that this worker is alive, from a thread and connection of its own."""

from __future__ import annotations

import logging
import threading

from drydock.db.database import Database
from drydock.db.workers import BEAT_SECONDS
from drydock.errors import DatabaseUnavailable

LOG = logging.getLogger(__name__)


class Presence:
    def __init__(self, database: Database) -> None:
        """``database``: with one connection to spare for as long as this worker lives."""
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=BEAT_SECONDS)
        self._database.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._stay()
            except DatabaseUnavailable as exc:
                LOG.debug("this worker cannot be seen: %s", exc)
                self._stop.wait(BEAT_SECONDS)

    def _stay(self) -> None:
        with self._database.unit_of_work() as uow:
            uow.workers.announce()
            uow.commit()
            while not self._stop.wait(BEAT_SECONDS):
                uow.workers.beat()
                uow.commit()
