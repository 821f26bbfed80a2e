"""``Outage``: whether Keystone hangs, so that few requests wait for it at a time."""

from __future__ import annotations

import threading

#: A failure that took this long is a hang: refused connections cost nothing and are asked again each time.
SLOW_SECONDS = 1.0
#: How long nobody asks after a hang; then one request at a time tries.
PAUSE_SECONDS = 5.0


class Outage:
    """Times are seconds of one monotonic clock. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ask_again_at: float | None = None

    def may_ask(self, now: float) -> bool:
        """Whether to ask now; who may after a hang is the only one until it has an answer or another pause has gone."""
        with self._lock:
            if self._ask_again_at is None:
                return True
            if now < self._ask_again_at:
                return False
            self._ask_again_at = now + PAUSE_SECONDS
            return True

    def failed(self, asked: float, now: float) -> None:
        """A question asked at ``asked`` got no answer."""
        if now - asked >= SLOW_SECONDS:
            with self._lock:
                self._ask_again_at = now + PAUSE_SECONDS

    def ended(self) -> None:
        """A question was answered."""
        if self._ask_again_at is not None:
            with self._lock:
                self._ask_again_at = None
