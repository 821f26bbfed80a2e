"""``Batcher``: items of many threads, written together by one of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


def start_timer(seconds: float, write: Callable[[], None]) -> None:
    """Call ``write`` in another thread; the process waits for it at its end. Raises ``RuntimeError``: no thread."""
    threading.Timer(seconds, write).start()


class Batcher(Generic[Item]):
    """Safe to share between threads. ``write`` is never called by two of them at a time, and gets items in their order.

    What ``write`` raises goes to the thread that called it. The items of that call are lost, later ones are not.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], None],
        *,
        delay: float,
        at_most: int,
        prompt: bool,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = start_timer,
    ) -> None:
        """``delay``: seconds that an item waits for others. ``at_most``: items that wait; the thread that adds one more
        writes them itself. ``prompt``: an item that comes ``delay`` or more after the last write does not wait either.
        """
        self._write = write
        self._delay = delay
        self._at_most = at_most
        self._prompt = prompt
        self._clock = clock
        self._later = later
        self._items: deque[Item] = deque()
        self._writing = threading.Lock()
        self._written = float("-inf")
        self._scheduled = False

    def add(self, item: Item, *, more: bool = False) -> None:
        """``more``: the caller adds another item at once, with which this one is written."""
        self._items.append(item)
        if len(self._items) > self._at_most or (
            self._prompt and not more and self._clock() - self._written >= self._delay
        ):
            self._drain()
        elif not more and not self._scheduled:
            self._schedule()

    def flush(self) -> None:
        """Write what waits; return when it is written, by whichever thread."""
        with self._writing:
            self._write_all()
        self._drain()

    def _schedule(self) -> None:
        self._scheduled = True
        try:
            self._later(self._delay, self._write_scheduled)
        except RuntimeError:  # no thread can be started
            self._write_scheduled()

    def _write_scheduled(self) -> None:
        self._scheduled = False
        self._drain()

    def _drain(self) -> None:
        # Checked again after each turn: a thread that found the lock taken has left its item to this one.
        while self._items and self._writing.acquire(blocking=len(self._items) > self._at_most):
            try:
                self._write_all()
            finally:
                self._writing.release()

    def _write_all(self) -> None:
        self._written = self._clock()
        items = [self._items.popleft() for _ in range(len(self._items))]
        if items:
            self._write(items)
