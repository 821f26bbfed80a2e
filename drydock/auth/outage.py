"""``Outage``: limits how many requests wait for a Keystone that hangs."""

from __future__ import annotations

import threading

#: Seconds from which a failure counts as a hang. Refused connections fail at once and are always retried.
SLOW_SECONDS = 1.0
#: Seconds without requests after a hang; then one request at a time tries.
PAUSE_SECONDS = 5.0


class Outage:
    """Times are seconds of one monotonic clock. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ask_again_at: float | None = None

    def may_ask(self, now: float) -> bool:
        """Whether to send a request now. After a hang one caller at a time may, until its answer or the next pause."""
        with self._lock:
            if self._ask_again_at is None:
                return True
            if now < self._ask_again_at:
                return False
            self._ask_again_at = now + PAUSE_SECONDS
            return True

    def failed(self, asked: float, now: float) -> None:
        """A request sent at ``asked`` got no answer."""
        if now - asked >= SLOW_SECONDS:
            with self._lock:
                self._ask_again_at = now + PAUSE_SECONDS

    def ended(self) -> None:
        """A request was answered."""
        if self._ask_again_at is not None:
            with self._lock:
                self._ask_again_at = None
