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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from drydock.db.database import Database
from drydock.db.notifications import Listener
from drydock.errors import DatabaseUnavailable
from drydock.metrics import EngineMetrics
from drydock.model.task import Lane, Task
from drydock.orchestrator.engine.lease_clock import claim_of
from drydock.orchestrator.engine.leases import Leases
from drydock.orchestrator.engine.nudge import Nudge
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.engine.unknown_tasks import UnknownTasks

LOG = logging.getLogger(__name__)
_SLOT_FAILED = "a slot failed; its task is due again later"

#: However much happens, a worker asks for due work at most this often. What wakes a task is seen within this time;
#: asking costs a worker that has hundreds of nodes on their way more than their steps do.
SHORTEST_ROUND_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``slots``: nodes worked on at once; ``task_slots``: what operators asked for, at once.

    ``watch_batch``: waiting nodes looked at with one request. ``poll_interval``: seconds.
    """

    slots: int
    task_slots: int
    watch_batch: int
    poll_interval: float


def worker_name() -> str:
    """Unlike any other worker's, also unlike our own before a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Engine:
    def __init__(
        self,
        database: Database,
        runner: StepRunner,
        leases: Leases,
        settings: EngineSettings,
        metrics: EngineMetrics,
        stopping: threading.Event,
    ) -> None:
        """``stopping``: the event that ``stop`` sets, which runner and leases have too."""
        self._database = database
        self._runner = runner
        self._leases = leases
        self._unknown = UnknownTasks(database, runner.known.names, metrics)
        self._metrics = metrics
        self._settings = settings
        self._threads = {Lane.TASK: settings.task_slots, Lane.WATCH: 1, Lane.NODE: settings.slots}
        # Where more may be due than was claimed: a slot that gets free there asks for it. Elsewhere it is announced.
        self._left = frozenset(Lane)
        self._stop = stopping
        # Whether the database was there when it was last asked for work.
        self._ready = False
        self._nudge = Nudge()

    def stop(self) -> None:
        """Claim no more, finish the steps in hand, hand the rest over. Safe in a signal handler."""
        self._stop.set()
        self._nudge.send()

    def run(self) -> None:
        """Work until ``stop``. A database that is away is waited for."""
        self._leases.start()
        with ExitStack() as stack:
            pools = {
                lane: stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix=lane.value))
                for lane, threads in self._threads.items()
            }
            while not self._stop.is_set():
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
                    self._metrics.unforeseen_errors.labels("loop").inc()
                    self._stop.wait(1.0)
        # Leases are kept until the last slot is done: a step in hand is still ours.
        self._leases.join()

    def _serve(self, pools: Mapping[Lane, ThreadPoolExecutor], listener: Listener) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            claimed, sleep_seconds = self._claim()
            if not self._ready:
                self._ready = True
                LOG.info("worker ready", extra={"worker": self._leases.owner})
            self._unknown.look()
            for lane, tasks in claimed.items():
                for together in self._runner.together(tasks):
                    self._submit(pools, lane, together)
            listener.wait(sleep_seconds, also=self._nudge.file)
            # Rounds are paced: what becomes due in the meantime is claimed together.
            self._stop.wait(max(0.0, SHORTEST_ROUND_SECONDS - (time.monotonic() - started)))
            self._nudge.drain()

    def _claim(self) -> tuple[Mapping[Lane, Sequence[Task]], float]:
        """Due tasks for the slots that are free, and the seconds until there may be more for those that stay free."""
        leases, poll_interval, steps = self._leases, self._settings.poll_interval, self._runner.known.names
        self._left = frozenset(Lane)
        wanted = self._wanted()
        if not wanted:
            return {}, poll_interval
        leases.hand_back_unwritten()
        asked = leases.clock.now()
        with self._database.statements() as uow:
            claimed = uow.leases.claim(
                leases.owner, wanted, lease_seconds=leases.seconds, suspects=leases.suspects_wanted(), steps=steps
            )
            found = any(claimed.values())
            due = None if found else uow.leases.next_due_in(wanted, steps=steps)
        self._left = frozenset(lane for lane in Lane if len(claimed.get(lane, ())) >= wanted.get(lane, 0))
        leases.took(claimed, asked=asked)
        if found:
            # More may have come due meanwhile: when that is, is asked for only once nothing is.
            return claimed, 0.0
        self._unknown.look()
        return claimed, poll_interval if due is None else min(poll_interval, max(due, 0.0))

    def _wanted(self) -> Mapping[Lane, int]:
        """How many tasks of which lane to claim now; nodes ahead of free slots, so that one claim serves many."""
        count = self._leases.count
        wanted = {
            Lane.TASK: self._threads[Lane.TASK] - count(Lane.TASK),
            Lane.WATCH: 0 if count(Lane.WATCH) else self._settings.watch_batch,
            Lane.NODE: 0 if self._enough_nodes() else 2 * self._threads[Lane.NODE] - count(Lane.NODE),
        }
        return {lane: at_most for lane, at_most in wanted.items() if at_most > 0}

    def _enough_nodes(self) -> bool:
        return self._leases.count(Lane.NODE) > self._threads[Lane.NODE]

    def _submit(self, pools: Mapping[Lane, ThreadPoolExecutor], lane: Lane, together: Sequence[Task]) -> None:
        work = _Once(partial(self._work, pools, lane, together))
        try:
            pools[lane].submit(work).add_done_callback(_log_failure)
        except RuntimeError:
            # The pool takes no more because we are stopping; then all there is to do is to hand the tasks back.
            # Or no thread can be started: the pool has queued the work nevertheless.
            try:
                work()
            except Exception:
                # As in a slot: the loop has more to submit, whose leases it keeps.
                LOG.exception(_SLOT_FAILED)

    def _work(self, pools: Mapping[Lane, ThreadPoolExecutor], lane: Lane, together: Sequence[Task]) -> None:
        going: Sequence[Task] = ()
        try:
            going = self._runner.run(together)
        except DatabaseUnavailable as exc:
            LOG.warning("what became of %d tasks could not be written: %s", len(together), exc)
            self._leases.could_not_write(together)
        finally:
            self._done(lane, together, going)
        for part in self._runner.together(going):
            self._submit(pools, lane, part)

    def _done(self, lane: Lane, together: Sequence[Task], going: Sequence[Task]) -> None:
        suspect = self._leases.forget({claim_of(task) for task in together} - {claim_of(task) for task in going})
        if suspect or (lane in self._left and not (lane is Lane.NODE and self._enough_nodes())):
            self._nudge.send()


class _Once:
    """``work``, done by the first thread that calls this."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._begun = threading.Lock()

    def __call__(self) -> None:
        # Never released.
        if self._begun.acquire(blocking=False):
            self._work()


def _log_failure(done: Future[None]) -> None:
    """What went wrong outside a step, such as in writing its outcome; the task is due again when its lease lapses."""
    error = done.exception()
    if error is not None:
        LOG.error(_SLOT_FAILED, exc_info=error)
