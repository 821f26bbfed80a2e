"""A bounded cache of validated tokens, for keystonemiddleware's ``cache`` option.

Its own in-process cache walks through every token it holds on each look-up, and never forgets how many those are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache


class TokenCache:
    """At most ``size`` entries, each at most ``seconds`` old; with 0 seconds it keeps nothing. Safe for threads.

    Keys are hashes of tokens, values what Keystone said of them. ``timer`` counts seconds.
    """

    def __init__(self, *, size: int, seconds: float, timer: Callable[[], float] = time.monotonic) -> None:
        self._entries: TTLCache[str, bytes] = TTLCache(maxsize=size, ttl=seconds, timer=timer)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    # An empty cache is a cache: keystonemiddleware asks `if cache:`.
    def __bool__(self) -> bool:
        return True

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._entries.get(key)

    def set(self, key: str, value: bytes, time: float = 0) -> None:
        """``time``, the middleware's own idea of a lifetime, is not needed: all entries have the same."""
        with self._lock:
            self._entries[key] = value


class GuardedCache:
    """A ``TokenCache`` that knows of outages: ``before_asking`` is called before Keystone is asked, and may raise.

    ``answered`` is called when it has answered with a valid token.
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
