"""What references answered lately: bounded, short-lived, and never a failure."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock


class ReferenceCache:
    """Bodies by URL. Safe to share between threads. Keeps no URL, which may hold a password: only its hash."""

    def __init__(self, *, seconds: float, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``seconds``: how long a body is good; 0 keeps nothing. ``max_bytes``: of all bodies together."""
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def fetch(self, url: str, fetch: Callable[[], bytes]) -> bytes:
        """The body kept for ``url``, or what ``fetch`` answers; what it raises is passed on and not kept."""
        key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            self._forget_old()
            found = self._kept.get(key)
        if found is not None:
            return found[1]
        asked = self._clock()
        body = fetch()
        if self._seconds > 0 and len(body) <= self._max_bytes:
            with self._lock:
                self._drop(key)
                # Good from the moment of the question: the answer may be that old.
                self._kept[key] = (asked + self._seconds, body)
                self._bytes += len(body)
                while self._bytes > self._max_bytes:
                    self._drop(next(iter(self._kept)))
        return body

    def _forget_old(self) -> None:
        now = self._clock()
        for key in [key for key, (until, _) in self._kept.items() if until <= now]:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= len(found[1])
