"""The engine: claims due tasks, runs each in a slot, keeps their leases, sleeps until something is due.

It holds no business rule. Any number of engines share one database; what a dead one held is due again when its
lease lapses, so there is no recovery code: recovery is the normal path.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from drydock.db.notifications import Listener
from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable
from drydock.model.task import Task
from drydock.orchestrator.step_runner import StepRunner

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``slots``: tasks worked on at once. ``poll_interval``, ``lease_seconds``: seconds."""

    slots: int = 16
    poll_interval: float = 5.0
    lease_seconds: float = 30.0


def worker_name() -> str:
    """Unlike any other worker's, also unlike our own before a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Engine:
    def __init__(
        self,
        database: Database,
        make_runner: Callable[[Callable[[], bool]], StepRunner],
        settings: EngineSettings,
        owner: str,
    ) -> None:
        """``make_runner`` is given a function that tells whether the engine is stopping."""
        self._database = database
        self._runner = make_runner(self.stopping)
        self._settings = settings
        self._owner = owner
        self._in_hand: set[uuid.UUID] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # A pipe, because the loop sleeps in select() on the database's socket and on this.
        self._nudge_read, self._nudge_write = os.pipe()
        os.set_blocking(self._nudge_read, False)
        os.set_blocking(self._nudge_write, False)

    def stop(self) -> None:
        """Claim no more, finish the steps in hand, hand the rest over. Safe in a signal handler."""
        self._stop.set()
        self._nudge()

    def stopping(self) -> bool:
        return self._stop.is_set()

    def run(self) -> None:
        """Work until ``stop``. A database that is away is waited for."""
        renewer = threading.Thread(target=self._renew_until_stopped, name="leases", daemon=True)
        renewer.start()
        with ThreadPoolExecutor(self._settings.slots, thread_name_prefix="slot") as pool:
            while not self.stopping():
                try:
                    with self._database.listen_for_work() as listener:
                        LOG.info("worker ready", extra={"worker": self._owner})
                        self._serve(pool, listener)
                except DatabaseUnavailable as exc:
                    LOG.warning("waiting for the database: %s", exc)
                    self._stop.wait(1.0)
        # Leases are kept until the last slot is done: a step in hand is still ours.
        renewer.join(timeout=self._settings.lease_seconds)

    def _serve(self, pool: ThreadPoolExecutor, listener: Listener) -> None:
        while not self.stopping():
            free = self._settings.slots - len(self._in_hand)
            claimed = self._claim(free) if free > 0 else ()
            for task in claimed:
                pool.submit(self._work, task).add_done_callback(_log_failure)
            if free > 0 and len(claimed) == free:
                continue
            listener.wait(self._seconds_to_sleep(full=free <= 0), also=self._nudge_read)
            self._drain_nudges()

    def _claim(self, free: int) -> tuple[Task, ...]:
        with self._database.unit_of_work() as uow:
            claimed = uow.leases.claim(self._owner, at_most=free, lease_seconds=self._settings.lease_seconds)
            uow.commit()
        with self._lock:
            self._in_hand.update(task.id for task in claimed)
        return claimed

    def _work(self, task: Task) -> None:
        try:
            self._runner.run(task)
        finally:
            with self._lock:
                self._in_hand.discard(task.id)
                self._nudge()

    def _seconds_to_sleep(self, *, full: bool) -> float:
        longest = self._settings.poll_interval
        if full:
            return longest
        with self._database.unit_of_work() as uow:
            due = uow.leases.next_due_in()
        return longest if due is None else min(longest, max(due, 0.01))

    def _nudge(self) -> None:
        try:
            os.write(self._nudge_write, b".")
        except BlockingIOError:
            LOG.debug("the loop has not read its last nudges yet")

    def _drain_nudges(self) -> None:
        try:
            os.read(self._nudge_read, 4096)
        except BlockingIOError:
            LOG.debug("nothing to drain: the database woke us")

    def _renew_until_stopped(self) -> None:
        """Keep leases from a thread of its own, so that a long step is not mistaken for a dead worker."""
        while True:
            ended = self._stop.wait(self._settings.lease_seconds / 3)
            with self._lock:
                held = list(self._in_hand)
            if held:
                self._renew(held)
            elif ended:
                return
            if ended:
                # The event stays set: pace ourselves while the last steps finish.
                threading.Event().wait(min(1.0, self._settings.lease_seconds / 3))

    def _renew(self, held: list[uuid.UUID]) -> None:
        try:
            with self._database.unit_of_work() as uow:
                uow.leases.renew(self._owner, held, lease_seconds=self._settings.lease_seconds)
                uow.commit()
        except DatabaseUnavailable as exc:
            LOG.warning("could not renew leases: %s", exc)


def _log_failure(done: Future[None]) -> None:
    """What went wrong outside a step, such as in writing its outcome; the task is due again when its lease lapses."""
    error = done.exception()
    if error is not None:
        LOG.error("a slot failed; its task is due again later", exc_info=error)
