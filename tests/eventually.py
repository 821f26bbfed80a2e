"""Wait for an effect in another thread or process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

POLL_SECONDS = 0.01


def eventually(look: Callable[[], Seen], wanted: Callable[[Seen], bool], seconds: float = 20) -> Seen:
    """What ``look`` returns as soon as it is ``wanted``; fails with the last value after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(POLL_SECONDS)
    return seen
