"""``Turns``: whose request is next. Each path has its turn, however many requests there are of another."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection

from drydock.http_server.connection import Connection, State


class Turns:
    """Requests that wait for a thread, by path: machines ask for what is theirs, each at its own path.

    A path of which ``most_unread`` answers are in memory, for clients that do not take them, has no turn.
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
        """``reading``: those whose clients have not taken all of their answers."""
        unread = Counter(each.request.path for each in reading) if reading else {}
        for path, waiting in self._waiting.items():
            if unread.get(path, 0) < self._most_unread:
                found = waiting.popleft()
                del self._waiting[path]
                if waiting:
                    # Behind all others.
                    self._waiting[path] = waiting
                return found
        return None

    def remove(self, connection: Connection) -> None:
        """If it is among them."""
        if connection.state is State.QUEUED:
            path = connection.request.path
            self._waiting[path].remove(connection)
            if not self._waiting[path]:
                del self._waiting[path]

    def last_of_most(self) -> Connection | None:
        """The last request of the path that most wait for; None where each path has but one."""
        waiting = max(self._waiting.values(), key=len, default=deque[Connection]())
        return waiting[-1] if len(waiting) > 1 else None
