"""Deadlines of connections, and which connections to drop when there are too many."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from drydock.http_server.connection import Connection, State
from drydock.http_server.limits import ServerLimits

#: States in the order in which connections are dropped for others. Complete requests are never dropped.
_WORTH = {State.ENDING: 0, State.IDLE: 1, State.HEAD: 2, State.BODY: 3, State.ANSWERED: 4}


def deadline(connection: Connection, limits: ServerLimits) -> float | None:
    """The connection's deadline by the monotonic clock; None: no deadline."""
    since = connection.since
    match connection.state:
        case State.IDLE:
            return since + (limits.idle_seconds if connection.served else limits.head_seconds)
        case State.HEAD:
            return since + limits.head_seconds
        case State.BODY:
            return since + limits.grace_seconds + connection.body.size / limits.bytes_per_second
        case State.ENDING:
            return since + limits.linger_seconds
        case _:
            answer = connection.answer
            if not answer.unsent:
                return None
            return answer.since + limits.grace_seconds + answer.taken_since_kept() / limits.bytes_per_second


def idlest(connections: Iterable[Connection]) -> Connection | None:
    """The connection to drop for another; None when all are busy."""
    candidates = [each for each in connections if each.state in _WORTH]
    return min(candidates, key=lambda each: (_WORTH[each.state], each.since), default=None)


def surplus_bodies(connections: Iterable[Connection], limits: ServerLimits) -> list[Connection]:
    """Connections with incomplete bodies to drop, oldest first, to stay within the limit."""
    surplus = sum(each.body_bytes for each in connections) - limits.bodies_bytes
    if surplus <= 0:
        return []
    found = []
    for each in sorted((each for each in connections if each.state is State.BODY), key=lambda each: each.since):
        if surplus <= 0:
            break
        surplus -= each.body_bytes
        found.append(each)
    return found


def surplus_waiting(connections: Iterable[Connection], most: int) -> list[Connection]:
    """Connections beyond ``most`` whose threads wait for the reader of a long answer; the longest wait first."""
    waiting = sorted((each for each in connections if each.answer.waiting), key=lambda each: each.answer.since)
    return waiting[: max(0, len(waiting) - most)]


def unread(reading: Collection[Connection]) -> int:
    """Bytes buffered for clients that have not taken them."""
    return sum(each.answer.unsent for each in reading)


class Readers:
    """Progress of clients that have not taken all of their answers."""

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        #: By connection: bytes taken at the last check, and since when that number is unchanged.
        self._marks: dict[Connection, tuple[int, float]] = {}

    def surplus(self, reading: Collection[Connection], now: float) -> list[Connection]:
        """Stalled readers to drop, so that all unread answers stay within the limit."""
        marks: dict[Connection, tuple[int, float]] = {}
        for each in reading:
            taken = each.answer.taken()
            before, since = self._marks.get(each, (-1, now))
            marks[each] = (before, since) if taken == before else (taken, now)
        self._marks = marks
        kept = unread(reading)
        most = kept > self._limits.most_unread_bytes
        allowed = self._limits.still_seconds_at_most_unread if most else self._limits.still_seconds
        found = []
        for each in sorted(reading, key=lambda each: marks[each][1]):
            if kept <= self._limits.unread_bytes or now - marks[each][1] < allowed:
                break
            kept -= each.answer.unsent
            found.append(each)
        return found
