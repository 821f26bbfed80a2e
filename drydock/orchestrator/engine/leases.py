"""What a worker has in hand: its claims, their leases kept by a thread, and what it could not write down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence, Set
from uuid import UUID

from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable
from drydock.model.task import Lane, Task
from drydock.orchestrator.engine.lease_clock import Claim, LeaseClock, claim_of

LOG = logging.getLogger(__name__)

#: Lapsed leases are looked for at most this often, unless the last look found one: it reads all that is due.
SUSPECTS_SECONDS = 1.0


class Leases:
    """``owner`` names the worker; ``seconds``: how long a lease lasts. ``stopping`` is set when no more is claimed."""

    def __init__(self, database: Database, owner: str, *, seconds: float, stopping: threading.Event) -> None:
        self.owner = owner
        self.seconds = seconds
        self.clock = LeaseClock(seconds)
        self._database = database
        self._stopping = stopping
        # By claim, not by task: a task handed back to another lane may be claimed again before its batch is done.
        self._in_hand: dict[Claim, Lane] = {}
        # What may have ended the worker that had it before; one at a time.
        self._suspects: set[Claim] = set()
        self._look_for_suspects = 0.0
        # The outcome of these could not be written, as the database was away.
        self._unwritten: list[Task] = []
        self._lock = threading.Lock()
        self._renewer = threading.Thread(target=self._renew_until_stopped, name="leases", daemon=True)

    def start(self) -> None:
        """Renew leases from now on, until ``stopping`` is set and nothing is in hand."""
        self._renewer.start()

    def join(self) -> None:
        """Wait until the last lease is given up, at most as long as one lasts."""
        self._renewer.join(timeout=self.seconds)

    def took(self, claimed: Mapping[Lane, Sequence[Task]], *, asked: float) -> None:
        """These were claimed. ``asked``: the clock's time before the database was asked."""
        taken = {claim_of(task): lane for lane, tasks in claimed.items() for task in tasks}
        suspects = {claim_of(task) for tasks in claimed.values() for task in tasks if task.lapses}
        self.clock.kept(taken, asked=asked)
        with self._lock:
            self._in_hand.update(taken)
            self._suspects |= suspects
        if suspects:
            # There may be more: to be looked for as soon as this one is done.
            self._look_for_suspects = 0.0

    def forget(self, claims: Set[Claim]) -> bool:
        """These are done or handed back. Returns whether a suspect was among them: the next may be claimed."""
        with self._lock:
            suspects = len(self._suspects)
            self._suspects -= claims
            for claim in claims:
                self._in_hand.pop(claim, None)
                self.clock.forget(claim)
            return len(self._suspects) < suspects

    def count(self, lane: Lane) -> int:
        with self._lock:
            return sum(held is lane for held in self._in_hand.values())

    def suspects_wanted(self) -> int:
        """How many tasks whose lease lapsed may be claimed now: 0 or 1."""
        with self._lock:
            if self._suspects or time.monotonic() < self._look_for_suspects:
                return 0
        self._look_for_suspects = time.monotonic() + SUSPECTS_SECONDS
        return 1

    def could_not_write(self, tasks: Sequence[Task]) -> None:
        with self._lock:
            self._unwritten += tasks

    def hand_back_unwritten(self) -> None:
        """They are due as soon as the database is there again, not when their leases lapse.

        Raises ``DatabaseUnavailable``.
        """
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

    def _renew_until_stopped(self) -> None:
        """From a thread of its own, so that a long step is not mistaken for a dead worker."""
        while True:
            ended = self._stopping.wait(self.seconds / 3)
            with self._lock:
                held = {task_id for task_id, _ in self._in_hand}
            if held:
                self._renew(held)
            elif ended:
                return
            if ended:
                # The event stays set: pace ourselves while the last steps finish.
                threading.Event().wait(min(1.0, self.seconds / 3))

    def _renew(self, held: Collection[UUID]) -> None:
        asked = self.clock.now()
        try:
            with self._database.unit_of_work() as uow:
                renewed = uow.leases.renew(self.owner, held, lease_seconds=self.seconds)
                uow.commit()
            with self._lock:
                claims = [(lease.task_id, lease.epoch) for lease in renewed]
                self.clock.kept([claim for claim in claims if claim in self._in_hand], asked=asked)
        except DatabaseUnavailable as exc:
            LOG.warning("could not renew leases: %s", exc)
