"""The engine: claims due tasks, runs each in a slot, keeps their leases, sleeps until something is due.

It holds no business rule. Any number of engines share one database; what a dead one held is due again when its
lease lapses, so there is no recovery code: recovery is the normal path.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from drydock.db.database import Database
from drydock.db.notifications import Listener
from drydock.errors import DatabaseUnavailable
from drydock.model.task import Lane, Task
from drydock.orchestrator.engine.lease_clock import Claim, LeaseClock, claim_of
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.engine.unknown_tasks import UnknownTasks

LOG = logging.getLogger(__name__)

#: Lapsed leases are looked for at most this often, unless the last look found one: it reads all that is due.
SUSPECTS_SECONDS = 1.0

#: However much happens, a worker asks for due work at most this often. What wakes a task is seen within this time;
#: asking costs a worker that has hundreds of nodes on their way more than their steps do.
SHORTEST_ROUND_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``slots``: nodes worked on at once; ``task_slots``: what operators asked for, at once.

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
        make_runner: Callable[[Callable[[], bool], Callable[[Task], bool]], StepRunner],
        settings: EngineSettings,
        owner: str,
    ) -> None:
        """``make_runner`` is given functions that tell whether the engine is stopping, and whether a task is ours."""
        self._database = database
        self._leases = LeaseClock(settings.lease_seconds)
        self._runner = make_runner(self.stopping, self._leases.certainly_ours)
        self._unknown = UnknownTasks(database, self._runner.steps, self._runner.metrics)
        self._settings = settings
        self._owner = owner
        # By claim, not by task: a task given up to another lane may be claimed again before its batch is done.
        self._in_hand: dict[Claim, Lane] = {}
        # What may have ended the worker that had it before; one at a time.
        self._suspects: set[Claim] = set()
        self._look_for_suspects = 0.0
        self._threads = {Lane.TASK: settings.task_slots, Lane.WATCH: 1, Lane.NODE: settings.slots}
        # What was done with these is not on record, as the database was away.
        self._unwritten: list[Task] = []
        # Where more may be due than was claimed: who gets free there asks for it. Elsewhere it would be announced.
        self._left = frozenset(Lane)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # Whether the database was there when it was last asked for work.
        self._ready = False
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
        with ExitStack() as stack:
            pools = {
                lane: stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix=lane.value))
                for lane, threads in self._threads.items()
            }
            while not self.stopping():
                try:
                    with self._database.listen_for_work() as listener:
                        self._serve(pools, listener)
                except DatabaseUnavailable as exc:
                    # Once: an outage may last.
                    LOG.log(logging.WARNING if self._ready else logging.DEBUG, "waiting for the database: %s", exc)
                    self._ready = False
                    self._stop.wait(1.0)
                except Exception:
                    # No row, whatever is in it, may end a worker: those that it can read go on.
                    LOG.exception("the loop failed; it begins anew")
                    self._runner.metrics.unforeseen_errors.labels("loop").inc()
                    self._stop.wait(1.0)
        # Leases are kept until the last slot is done: a step in hand is still ours.
        renewer.join(timeout=self._settings.lease_seconds)

    def _serve(self, pools: Mapping[Lane, ThreadPoolExecutor], listener: Listener) -> None:
        while not self.stopping():
            started = time.monotonic()
            claimed, sleep_seconds = self._claim()
            if not self._ready:
                self._ready = True
                LOG.info("worker ready", extra={"worker": self._owner})
            self._unknown.look()
            for lane, tasks in claimed.items():
                for together in self._runner.together(tasks):
                    self._submit(pools, lane, together)
            listener.wait(sleep_seconds, also=self._nudge_read)
            # Rounds are paced: what becomes due in the meantime is claimed together.
            self._stop.wait(max(0.0, SHORTEST_ROUND_SECONDS - (time.monotonic() - started)))
            self._drain_nudges()

    def _claim(self) -> tuple[Mapping[Lane, Sequence[Task]], float]:
        """Due tasks for the slots that are free, and the seconds until there may be more for those that stay free."""
        settings = self._settings
        self._left = frozenset(Lane)
        wanted = self._wanted()
        if not wanted:
            return {}, settings.poll_interval
        self._hand_back_unwritten()
        asked, steps = self._leases.now(), self._runner.steps
        with self._database.statements() as uow:
            claimed = uow.leases.claim(
                self._owner, wanted, lease_seconds=settings.lease_seconds, suspects=self._suspects_wanted(), steps=steps
            )
            found = any(claimed.values())
            due = None if found else uow.leases.next_due_in(wanted, steps=steps)
        self._left = frozenset(lane for lane in Lane if len(claimed.get(lane, ())) >= wanted.get(lane, 0))
        self._take(claimed, asked)
        if found:
            # More may have come due meanwhile: when that is, is asked for only once nothing is.
            return claimed, 0.0
        self._unknown.look()
        return claimed, settings.poll_interval if due is None else min(settings.poll_interval, max(due, 0.0))

    def _hand_back_unwritten(self) -> None:
        """They are due as soon as the database is there again, and not when their leases lapse."""
        if not self._unwritten:
            return
        with self._lock:
            unwritten = list(self._unwritten)
        with self._database.unit_of_work() as uow:
            # In one order of locking.
            for task in sorted(unwritten, key=lambda each: each.id):
                uow.leases.hand_back(task)
            uow.commit()
        with self._lock:
            self._unwritten = self._unwritten[len(unwritten) :]

    def _take(self, claimed: Mapping[Lane, Sequence[Task]], asked: float) -> None:
        taken = {claim_of(task): lane for lane, tasks in claimed.items() for task in tasks}
        suspects = {claim_of(task) for tasks in claimed.values() for task in tasks if task.lapses}
        self._leases.kept(taken, asked=asked)
        with self._lock:
            self._in_hand.update(taken)
            self._suspects |= suspects
        if suspects:
            # There may be more: to be looked for as soon as this one is done.
            self._look_for_suspects = 0.0

    def _suspects_wanted(self) -> int:
        with self._lock:
            if self._suspects or time.monotonic() < self._look_for_suspects:
                return 0
        self._look_for_suspects = time.monotonic() + SUSPECTS_SECONDS
        return 1

    def _wanted(self) -> Mapping[Lane, int]:
        """How many tasks of which lane to claim now; nodes ahead of free slots, so that one claim serves many."""
        wanted = {
            Lane.TASK: self._threads[Lane.TASK] - self._count(Lane.TASK),
            Lane.WATCH: 0 if self._count(Lane.WATCH) else self._settings.watch_batch,
            Lane.NODE: 0 if self._enough_nodes() else 2 * self._threads[Lane.NODE] - self._count(Lane.NODE),
        }
        return {lane: at_most for lane, at_most in wanted.items() if at_most > 0}

    def _enough_nodes(self) -> bool:
        return self._count(Lane.NODE) > self._threads[Lane.NODE]

    def _count(self, lane: Lane) -> int:
        with self._lock:
            return sum(held is lane for held in self._in_hand.values())

    def _submit(self, pools: Mapping[Lane, ThreadPoolExecutor], lane: Lane, together: Sequence[Task]) -> None:
        try:
            pools[lane].submit(self._work, pools, lane, together).add_done_callback(_log_failure)
        except RuntimeError:
            # The pool takes no more because we are stopping; then all there is to do is to hand the tasks back.
            self._work(pools, lane, together)

    def _work(self, pools: Mapping[Lane, ThreadPoolExecutor], lane: Lane, together: Sequence[Task]) -> None:
        going: Sequence[Task] = ()
        try:
            going = self._runner.run(together)
        except DatabaseUnavailable as exc:
            LOG.warning("what became of %d tasks could not be written: %s", len(together), exc)
            with self._lock:
                self._unwritten += together
        finally:
            self._forget(lane, {claim_of(task) for task in together} - {claim_of(task) for task in going})
        for task in going:
            self._submit(pools, lane, [task])

    def _forget(self, lane: Lane, claims: Set[Claim]) -> None:
        with self._lock:
            suspects = len(self._suspects)
            self._suspects -= claims
            for claim in claims:
                self._in_hand.pop(claim, None)
                self._leases.forget(claim)
            freed = len(self._suspects) < suspects
        if freed or (lane in self._left and not (lane is Lane.NODE and self._enough_nodes())):
            self._nudge()

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
        asked = self._leases.now()
        try:
            with self._database.unit_of_work() as uow:
                renewed = uow.leases.renew(self._owner, held, lease_seconds=self._settings.lease_seconds)
                uow.commit()
            with self._lock:
                claims = [(lease.task_id, lease.epoch) for lease in renewed]
                self._leases.kept([claim for claim in claims if claim in self._in_hand], asked=asked)
        except DatabaseUnavailable as exc:
            LOG.warning("could not renew leases: %s", exc)


def _log_failure(done: Future[None]) -> None:
    """What went wrong outside a step, such as in writing its outcome; the task is due again when its lease lapses."""
    error = done.exception()
    if error is not None:
        LOG.error("a slot failed; its task is due again later", exc_info=error)
