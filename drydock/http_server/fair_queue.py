"""``FairQueue``: a fair queue of requests. Paths take turns, however many requests there are of one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection

from drydock.http_server.connection import Connection, State


class FairQueue:
    """Requests that wait for a thread, by path: each machine uses paths of its own.

    A path with ``most_unread`` unread answers in memory is skipped.
    """

    def __init__(self, *, most_unread: int) -> None:
        self._most_unread = most_unread
        self._waiting: dict[str, deque[Connection]] = {}

    def __len__(self) -> int:
        """Paths, not requests."""
        return len(self._waiting)

    def add(self, connection: Connection) -> None:
        self._waiting.setdefault(connection.request.path, deque()).append(connection)

    def next(self, reading: Collection[Connection]) -> Connection | None:
        """``reading``: connections whose clients have not taken all of their answers."""
        unread = Counter(each.request.path for each in reading) if reading else {}
        for path, waiting in self._waiting.items():
            if unread.get(path, 0) < self._most_unread:
                found = waiting.popleft()
                del self._waiting[path]
                if waiting:
                    # The path goes to the end of the queue.
                    self._waiting[path] = waiting
                return found
        return None

    def remove(self, connection: Connection) -> None:
        """Remove the request if it is queued."""
        if connection.state is State.QUEUED:
            path = connection.request.path
            self._waiting[path].remove(connection)
            if not self._waiting[path]:
                del self._waiting[path]

    def last_of_most(self) -> Connection | None:
        """The last request of the path with the most; None if no path has more than one."""
        waiting = max(self._waiting.values(), key=len, default=deque[Connection]())
        return waiting[-1] if len(waiting) > 1 else None
