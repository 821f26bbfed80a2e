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
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from drydock.db.notifications import Listener
from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable
from drydock.model.task import Lane, Task
from drydock.orchestrator.step_runner import StepRunner

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``slots``: pieces of work at once, of which ``task_slots`` are kept for what operators asked for.

    ``watch_batch``: waiting nodes looked at with one question. ``poll_interval``, ``lease_seconds``: seconds.
    """

    slots: int = 16
    task_slots: int = 2
    watch_batch: int = 500
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
        # By claim, not by task: a task given up to another lane may be claimed again before its batch is done.
        self._in_hand: dict[tuple[uuid.UUID, int], Lane] = {}
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
            busy = False
            for lane, at_most in self._free():
                claimed = self._claim(lane, at_most)
                busy = busy or len(claimed) == at_most
                for batch in _batches(lane, claimed):
                    pool.submit(self._work, batch).add_done_callback(_log_failure)
            if busy and self._free():
                continue
            listener.wait(self._seconds_to_sleep(), also=self._nudge_read)
            self._drain_nudges()

    def _free(self) -> list[tuple[Lane, int]]:
        """How many tasks of which lane to claim: a watch is one slot however many it looks at, and one at a time."""
        with self._lock:
            in_hand = Counter(self._in_hand.values())
            watching = in_hand[Lane.WATCH] > 0
        used = in_hand[Lane.TASK] + in_hand[Lane.NODE] + watching
        free = self._settings.slots - used
        node_slots = max(1, self._settings.slots - self._settings.task_slots)
        wanted = [
            (Lane.TASK, free),
            (Lane.WATCH, 0 if watching else self._settings.watch_batch),
            (Lane.NODE, min(free, node_slots - in_hand[Lane.NODE])),
        ]
        return [(lane, at_most) for lane, at_most in wanted if at_most > 0]

    def _claim(self, lane: Lane, at_most: int) -> tuple[Task, ...]:
        with self._database.unit_of_work() as uow:
            claimed = uow.leases.claim(self._owner, lane, at_most=at_most, lease_seconds=self._settings.lease_seconds)
            uow.commit()
        with self._lock:
            self._in_hand.update({_claim_of(task): lane for task in claimed})
        return claimed

    def _work(self, batch: Sequence[Task]) -> None:
        try:
            self._runner.run(batch)
        finally:
            with self._lock:
                for task in batch:
                    self._in_hand.pop(_claim_of(task), None)
            self._nudge()

    def _seconds_to_sleep(self) -> float:
        """Until something is due that there is a free slot for; a slot that becomes free ends the sleep."""
        longest = self._settings.poll_interval
        lanes = [lane for lane, _ in self._free()]
        if not lanes:
            return longest
        with self._database.unit_of_work() as uow:
            due = uow.leases.next_due_in(lanes)
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
                held = {task_id for task_id, _ in self._in_hand}
            if held:
                self._renew(held)
            elif ended:
                return
            if ended:
                # The event stays set: pace ourselves while the last steps finish.
                threading.Event().wait(min(1.0, self._settings.lease_seconds / 3))

    def _renew(self, held: Collection[uuid.UUID]) -> None:
        try:
            with self._database.unit_of_work() as uow:
                uow.leases.renew(self._owner, held, lease_seconds=self._settings.lease_seconds)
                uow.commit()
        except DatabaseUnavailable as exc:
            LOG.warning("could not renew leases: %s", exc)


def _claim_of(task: Task) -> tuple[uuid.UUID, int]:
    return task.id, task.lease.epoch if task.lease else 0


def _batches(lane: Lane, claimed: Sequence[Task]) -> list[Sequence[Task]]:
    """What one slot gets: all tasks of a watch, else one."""
    if lane is Lane.WATCH:
        return [claimed] if claimed else []
    return [[task] for task in claimed]


def _log_failure(done: Future[None]) -> None:
    """What went wrong outside a step, such as in writing its outcome; the task is due again when its lease lapses."""
    error = done.exception()
    if error is not None:
        LOG.error("a slot failed; its task is due again later", exc_info=error)
