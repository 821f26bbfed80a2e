"""A limit of time for work that is done in parts, with other work in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TimeBudget:
    """Not safe for threads."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._spent = 0.0
        self._since: float | None = None

    @contextmanager
    def spent(self) -> Iterator[None]:
        """The time within counts."""
        self._since = self._clock()
        try:
            yield
        finally:
            self._spent += self._clock() - self._since
            self._since = None

    def left(self) -> float:
        """Seconds; below 0 when it is used up."""
        running = 0.0 if self._since is None else self._clock() - self._since
        return self.seconds - self._spent - running
