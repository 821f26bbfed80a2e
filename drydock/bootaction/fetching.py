"""Assets' references, fetched once for all nodes of a task that ask for the same, and a few at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock
from uuid import UUID

from drydock.errors import DrydockError

Fetch = Callable[[str], bytes]


class SharedFetch:
    """Safe to share between threads. Who asks for what another thread is fetching waits for that fetch.

    An answer is kept for its task only, so that a task that comes later sees what the server says by then, and until
    ``keep_bytes`` are exceeded. A failure goes to all who waited for it, and is not kept.
    """

    def __init__(self, fetch: Fetch, *, at_most: int = 8, keep_bytes: int = 64 * 1024 * 1024) -> None:
        """``at_most``: fetches at a time."""
        self._fetch = fetch
        self._places = BoundedSemaphore(at_most)
        self._keep_bytes = keep_bytes
        self._kept: OrderedDict[tuple[UUID, str], Future[bytes]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def for_task(self, root_id: UUID) -> Fetch:
        """``fetch`` for the nodes of one task."""
        return lambda url: self._shared((root_id, url))

    def _shared(self, wanted: tuple[UUID, str]) -> bytes:
        with self._lock:
            found = self._kept.get(wanted)
            mine = found is None
            future = self._kept[wanted] = found if found is not None else Future()
            self._kept.move_to_end(wanted)
        if mine:
            self._fill(wanted, future)
        return future.result()

    def _fill(self, wanted: tuple[UUID, str], future: Future[bytes]) -> None:
        try:
            with self._places:
                content = self._fetch(wanted[1])
            with self._lock:
                self._size += len(content)
                future.set_result(content)
                self._forget()
        except DrydockError as exc:
            future.set_exception(exc)
        finally:
            # Nobody may wait for ever, whatever happened, and what went wrong is tried again.
            if not future.done():
                future.cancel()
            if future.cancelled() or future.exception() is not None:
                with self._lock:
                    self._kept.pop(wanted, None)

    def _forget(self) -> None:
        """Drop what was asked for longest ago, but for what is still on its way."""
        for oldest, future in list(self._kept.items()):
            if self._size <= self._keep_bytes:
                return
            if future.done():
                del self._kept[oldest]
                self._size -= len(future.result())
