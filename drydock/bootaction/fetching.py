"""Fetches references of assets: once for all nodes of a task that need the same, and a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from threading import BoundedSemaphore, Lock
from uuid import UUID

from cachetools import LRUCache

from drydock.single_flight import SingleFlight

Fetch = Callable[[str], bytes]
#: Of all contents that one process keeps.
KEEP_BYTES = 64 * 1024 * 1024


class SharedFetch:
    """Safe to share between threads. A content that another thread is fetching is waited for.

    A content is kept for its task only, so that a later task gets the server's present one, and until ``keep_bytes``
    are exceeded. A failure goes to all that waited for it, and is not kept.
    """

    def __init__(
        self, fetch: Fetch, *, at_most: int, present: Fetch | None = None, keep_bytes: int = KEEP_BYTES
    ) -> None:
        """``at_most``: fetches at a time. ``present``: as ``fetch``, but from no cache; None if that has none."""
        self._fetch = fetch
        self._present = present or fetch
        self._slots = BoundedSemaphore(at_most)
        self._kept: LRUCache[tuple[UUID, str], bytes] = LRUCache(maxsize=keep_bytes, getsizeof=_size)
        self._lock = Lock()
        self._fetching: SingleFlight[tuple[UUID, str], bytes] = SingleFlight()

    def for_task(self, root_id: UUID, *, present: bool = False) -> Fetch:
        """``fetch`` for the nodes of one task, or ``present``."""
        fetch = self._present if present else self._fetch
        return lambda url: self._shared((root_id, url), fetch)

    def _shared(self, wanted: tuple[UUID, str], fetch: Fetch) -> bytes:
        found = self._known(wanted)
        return self._fetching.run(wanted, lambda: self._fill(wanted, fetch)) if found is None else found

    def _known(self, wanted: tuple[UUID, str]) -> bytes | None:
        with self._lock:
            return self._kept.get(wanted)

    def _fill(self, wanted: tuple[UUID, str], fetch: Fetch) -> bytes:
        # Checked again: another thread may have finished between the first check and now.
        found = self._known(wanted)
        if found is not None:
            return found
        with self._slots:
            content = fetch(wanted[1])
        with self._lock:
            if _size(content) <= self._kept.maxsize:
                self._kept[wanted] = content
        return content


class FetchedSources:
    """What one node's references have: each is fetched once, so that all that is made of it is made of the same bytes.

    Errors are those of ``fetch``.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._contents: dict[str, bytes] = {}

    def content(self, url: str) -> bytes:
        if url not in self._contents:
            self._contents[url] = self._fetch(url)
        return self._contents[url]

    def digest(self, url: str) -> bytes:
        return sha256(self.content(url)).digest()


def _size(content: bytes) -> int:
    """Of what is kept; an empty content needs room too."""
    return max(1, len(content))
