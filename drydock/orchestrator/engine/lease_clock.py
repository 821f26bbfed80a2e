"""What a worker knows of its leases without asking: until when each of its claims is certainly its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from drydock.model.task import Task

Claim = tuple[UUID, int]


def seconds_since_boot() -> float:
    """A clock that cannot be set, and that runs while the host is suspended, where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseClock:
    """Counts from *before* the database was asked, so that it ends no later than the database's own count.

    For a worker that was frozen, or cut off from the database: what it has in hand may be another's by now, and must
    not be begun. Writes are guarded by the epoch; machines know no epochs.
    """

    def __init__(self, lease_seconds: float, now: Callable[[], float] = seconds_since_boot) -> None:
        self.now = now
        self._lease_seconds = lease_seconds
        self._until: dict[Claim, float] = {}
        self._lock = threading.Lock()

    def kept(self, claims: Iterable[Claim], *, asked: float) -> None:
        """These were claimed or renewed by a question that was asked then."""
        with self._lock:
            self._until.update(dict.fromkeys(claims, asked + self._lease_seconds))

    def forget(self, claim: Claim) -> None:
        with self._lock:
            self._until.pop(claim, None)

    def certainly_ours(self, task: Task) -> bool:
        with self._lock:
            until = self._until.get(claim_of(task))
        return until is not None and self.now() < until


def claim_of(task: Task) -> Claim:
    return task.id, task.lease.epoch if task.lease else 0
