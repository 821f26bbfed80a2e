"""Streams of events: a bounded number of requests that receive the events of a task tree until it ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import UUID

import falcon

from drydock.api.views.events import KEEP_ALIVE, RETRY, end_text, event_text
from drydock.errors import DatabaseUnavailable, TaskNotFound
from drydock.metrics import ApiMetrics
from drydock.model.event import EventPage, Position

LOG = logging.getLogger(__name__)

#: Events read at once.
PAGE = 500
#: Seconds after which a stream without events sends a comment: this detects clients that have gone.
PULSE = 3.0
#: Seconds after which a stream ends, for its client to come again with a token that is valid.
LASTS = 600.0
#: Seconds until the next look when something is known to come.
SOON = 0.25


class _Events(Protocol):
    def events(self, task_id: UUID, after: Position, *, at_most: int) -> EventPage: ...

    def mark_changes(self) -> int: ...

    def wait_for_changes(self, mark: int, seconds: float) -> None: ...


class EventStreams:
    """At most ``slots`` streams per process, each for at most ``LASTS`` seconds; clients come again by themselves.

    Unlike a long poll, a stream that finds no slot is refused (503): there is no right answer to give at once.
    """

    def __init__(self, events: _Events, *, slots: int, metrics: ApiMetrics) -> None:
        self._events = events
        self._slots = threading.Semaphore(slots)
        self._metrics = metrics

    def open(self, task_id: UUID, after: Position) -> Iterator[bytes]:
        """To be iterated and closed by the server. Raises ``TaskNotFound``, and falcon's 503 when no slot is free."""
        mark = self._events.mark_changes()
        first = self._events.events(task_id, after, at_most=PAGE)
        if not self._slots.acquire(blocking=False):
            raise falcon.HTTPServiceUnavailable(description="too many streams of events are open; try again later")
        self._metrics.streams.inc()
        return _InSlot(self._stream(task_id, after, first, mark), self._leave)

    def _leave(self) -> None:
        self._metrics.streams.dec()
        self._slots.release()

    def _stream(self, task_id: UUID, after: Position, page: EventPage, mark: int) -> Iterator[bytes]:
        """Between two looks there is no transaction and no connection, just a thread that sleeps."""
        yield RETRY
        began = spoken = time.monotonic()
        try:
            while True:
                if page.events:
                    yield b"".join(map(event_text, page.events))
                    after, spoken = page.events[-1].position, time.monotonic()
                elif time.monotonic() - spoken >= PULSE:
                    yield KEEP_ALIVE
                    spoken = time.monotonic()
                if page.ended:
                    yield end_text(task_id, page)
                    return
                if time.monotonic() - began >= LASTS:
                    return
                if not page.more:
                    self._events.wait_for_changes(mark, SOON if page.behind else PULSE)
                mark = self._events.mark_changes()
                page = self._events.events(task_id, after, at_most=PAGE)
        except (DatabaseUnavailable, TaskNotFound) as exc:
            # The status has been sent; the client comes again with its Last-Event-ID, and gets the error then.
            LOG.warning("stream of events ended early: %s", exc, extra={"task": str(task_id)})


class _InSlot(Iterator[bytes]):
    """A stream that gives its slot back once, whether it was read to the end, in part, or not at all."""

    def __init__(self, parts: Iterator[bytes], leave: Callable[[], None]) -> None:
        self._parts = parts
        self._leave = leave
        self._open = True

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._open:
            self._open = False
            self._leave()
