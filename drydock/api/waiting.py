"""Long polls: a bounded number of requests that wait for a change of their task."""

from __future__ import annotations

import threading
from typing import Protocol
from uuid import UUID

from drydock.metrics import ApiMetrics


class _Changes(Protocol):
    def wait_for_change(self, task_id: UUID, seconds: float) -> None: ...


class LongPolls:
    """At most ``slots`` waiting requests per process, each for at most ``longest`` seconds.

    When no slot is free the request is answered at once with the present state, which is always a right answer.
    Waiting requests hold threads that booting nodes need.
    """

    def __init__(self, changes: _Changes, *, slots: int, longest: float, metrics: ApiMetrics) -> None:
        self._changes = changes
        self._slots = threading.Semaphore(slots)
        self._longest = longest
        self._metrics = metrics

    def wait(self, task_id: UUID, seconds: float) -> bool:
        """Whether it waited. Raises ``TaskNotFound``."""
        if seconds <= 0 or not self._slots.acquire(blocking=False):
            return False
        try:
            with self._metrics.waiting.track_inprogress():
                self._changes.wait_for_change(task_id, min(seconds, self._longest))
        finally:
            self._slots.release()
        return True
