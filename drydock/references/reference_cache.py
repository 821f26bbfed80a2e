"""Bodies that references had lately: bounded, short-lived, and never a failure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from cachetools import TLRUCache


class _Body(NamedTuple):
    asked: float
    content: bytes


class ReferenceCache:
    """Bodies by URL. Safe to share between threads. Keeps no URL, which may hold a password: only its hash."""

    def __init__(self, *, seconds: float, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``seconds``: how long a body is good; 0 keeps nothing. ``max_bytes``: of all bodies together."""
        self._max_bytes = max_bytes
        self._clock = clock
        # Good from the moment of the request: the answer may be that old.
        self._kept: TLRUCache[bytes, _Body] = TLRUCache(
            max_bytes,
            ttu=lambda _, body, now: body.asked + seconds,
            timer=clock,
            getsizeof=lambda body: len(body.content),
        )
        self._lock = Lock()

    def fetch(self, url: str, fetch: Callable[[], bytes]) -> bytes:
        """The body kept for ``url``, or what ``fetch`` answers; what it raises is passed on and not kept."""
        key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found.content
        asked = self._clock()
        content = fetch()
        if len(content) <= self._max_bytes:
            with self._lock:
                self._kept[key] = _Body(asked, content)
        return content
