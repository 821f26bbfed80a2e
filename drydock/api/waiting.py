"""Long polls: a bounded number of requests that wait for a change of their task."""

from __future__ import annotations

import threading
from typing import Protocol
from uuid import UUID

from drydock.metrics import ApiMetrics


class _Changes(Protocol):
    def wait_for_change(self, task_id: UUID, seconds: float) -> None: ...


class WaitingRoom:
    """At most ``seats`` waiting requests per process, each for at most ``longest`` seconds.

    Who finds no seat does not wait: it is answered at once with what there is, which is always a right answer.
    Waiting requests hold threads that booting nodes need.
    """

    def __init__(self, changes: _Changes, *, seats: int, longest: float, metrics: ApiMetrics) -> None:
        self._changes = changes
        self._seats = threading.Semaphore(seats)
        self._longest = longest
        self._metrics = metrics

    def wait(self, task_id: UUID, seconds: float) -> bool:
        """Whether it waited. Raises ``TaskNotFound``."""
        if seconds <= 0 or not self._seats.acquire(blocking=False):
            return False
        try:
            with self._metrics.waiting.track_inprogress():
                self._changes.wait_for_change(task_id, min(seconds, self._longest))
        finally:
            self._seats.release()
        return True
