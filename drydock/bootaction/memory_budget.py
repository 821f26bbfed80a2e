"""A memory budget for preparing boots, shared by concurrent preparations."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

_REMEMBERED_SCOPES = 256
#: The first reservation of a scope is this fraction of the limit.
_UNKNOWN = 8


class MemoryBudget:
    """Safe to share between threads. A reservation over the limit is granted when there is no other."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._largest: OrderedDict[Hashable, int] = OrderedDict()
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, scope: Hashable) -> Iterator[Callable[[int], None]]:
        """Waits until the largest size of this scope so far fits. Yields a function that records the actual bytes."""
        size = self._acquire(scope)

        def record_size(actual: int) -> None:
            nonlocal size
            size = self._resize(scope, size, actual)

        try:
            yield record_size
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()

    def _acquire(self, scope: Hashable) -> int:
        def fits() -> bool:
            return not self._used or self._used + self._expected(scope) <= self._limit

        with self._changed:
            self._changed.wait_for(fits)
            size = self._expected(scope)
            self._used += size
            return size

    def _expected(self, scope: Hashable) -> int:
        return self._largest.get(scope, self._limit // _UNKNOWN)

    def _resize(self, scope: Hashable, reserved: int, actual: int) -> int:
        with self._changed:
            self._used += actual - reserved
            self._largest[scope] = max(actual, self._largest.pop(scope, 0))
            if len(self._largest) > _REMEMBERED_SCOPES:
                self._largest.popitem(last=False)
            self._changed.notify_all()
        return actual
