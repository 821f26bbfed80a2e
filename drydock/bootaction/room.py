"""Memory for boots in the making: as many side by side as fit, by what those of the same task took before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

_REMEMBERED = 256
#: What is not known yet counts as this part of all there is.
_UNKNOWN = 8


class Room:
    """Safe to share between threads. What is larger than all there is gets it when nobody else has any."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._largest: OrderedDict[Hashable, int] = OrderedDict()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, scope: Hashable) -> Iterator[Callable[[int], None]]:
        """Waits for room for the largest of this scope so far. Gives what is to be called with the bytes it took."""
        size = self._enter(scope)

        def found(actual: int) -> None:
            nonlocal size
            size = self._found(scope, size, actual)

        try:
            yield found
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()

    def _enter(self, scope: Hashable) -> int:
        def fits() -> bool:
            return not self._used or self._used + self._expected(scope) <= self._limit

        with self._changed:
            self._changed.wait_for(fits)
            size = self._expected(scope)
            self._used += size
            return size

    def _expected(self, scope: Hashable) -> int:
        return self._largest.get(scope, self._limit // _UNKNOWN)

    def _found(self, scope: Hashable, taken: int, actual: int) -> int:
        with self._changed:
            self._used += actual - taken
            self._largest[scope] = max(actual, self._largest.pop(scope, 0))
            if len(self._largest) > _REMEMBERED:
                self._largest.popitem(last=False)
            self._changed.notify_all()
        return actual
