"""A bounded cache of validated tokens, for keystonemiddleware's ``cache`` option.

keystonemiddleware's own in-process cache scans all its tokens on each look-up and is not bounded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache


class TokenCache:
    """At most ``size`` entries, each at most ``seconds`` old; with 0 seconds it keeps nothing. Safe for threads.

    Keys are hashes of tokens, values Keystone's answers. ``timer`` counts seconds.
    """

    def __init__(self, *, size: int, seconds: float, timer: Callable[[], float] = time.monotonic) -> None:
        self._entries: TTLCache[str, bytes] = TTLCache(maxsize=size, ttl=seconds, timer=timer)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    # keystonemiddleware tests `if cache:`, which must hold for an empty cache.
    def __bool__(self) -> bool:
        return True

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._entries.get(key)

    def set(self, key: str, value: bytes, time: float = 0) -> None:
        """``time``, the middleware's lifetime, is ignored: all entries have the same."""
        with self._lock:
            self._entries[key] = value


class GuardedCache:
    """A ``TokenCache`` that calls ``before_asking``, which may raise, before a request to Keystone.

    ``answered`` is called when Keystone has answered with a valid token.
    """

    def __init__(self, cache: TokenCache, before_asking: Callable[[], None], answered: Callable[[], None]) -> None:
        self._cache = cache
        self._before_asking = before_asking
        self._answered = answered

    def get(self, key: str) -> bytes | None:
        found = self._cache.get(key)
        if found is None:
            self._before_asking()
        return found

    def set(self, key: str, value: bytes, time: float = 0) -> None:
        self._cache.set(key, value, time)
        self._answered()
