"""``Loop``: one thread that reads and writes all connections of a process and never blocks on one."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.workers.gthread import PollableMethodQueue

from drydock.http_server import refusals
from drydock.http_server.connection import Connection, RefusedError, State
from drydock.http_server.deadlines import Readers, deadline, idlest, surplus_bodies, surplus_waiting, unread
from drydock.http_server.fair_queue import FairQueue
from drydock.http_server.limits import ServerLimits
from drydock.http_server.refusals import Refusal

LOG = logging.getLogger(__name__)

#: Seconds between two checks of the deadlines.
LOOK = 0.25

#: States in which the answer's progress decides about the deadline.
_SERVED = (State.BUSY, State.ANSWERED)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Loop:
    """``submit`` starts a thread on a connection's request; the thread calls ``finished`` afterwards.

    Only the loop's thread may call methods other than ``finished`` and ``wake``. ``most``: connections at a time.
    """

    def __init__(self, cfg: Any, limits: ServerLimits, *, most: int, submit: Callable[[Connection], object]) -> None:
        self.connections: set[Connection] = set()
        self._cfg = cfg
        self._limits = limits
        self._most = most
        self._submit = submit
        self._listeners: Sequence[socket.socket] = ()
        self._queue = FairQueue(most_unread=max(1, cfg.threads // 2))
        self._busy = 0
        #: Connections whose clients have not taken all of their answers.
        self._reading: set[Connection] = set()
        self._readers = Readers(limits)
        self._next_look = 0.0
        self._calls = PollableMethodQueue()
        self._calls.init()
        self._poller = selectors.DefaultSelector()
        self._poller.register(self._calls.fileno(), _READ, self._calls.run_callbacks)

    def wake(self) -> None:
        self._calls.defer(lambda: None)

    def finished(self, connection: Connection) -> None:
        self._calls.defer(self._finished, connection)

    def turn(self) -> None:
        """Handle pending events, or wait for one for a short time."""
        for key, _ in self._poller.select(LOOK):
            key.data(key.fileobj)
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK
            self._look(now)

    def accept(self, listeners: Sequence[socket.socket]) -> None:
        """Accept connections from these listeners, unless too many requests are queued."""
        full = len(self._queue) >= self._limits.requests or not (self._has_room() or self._dispensable())
        wanted = () if full else listeners
        if bool(wanted) == bool(self._listeners):
            return
        for listener in self._listeners:
            self._poller.unregister(listener)
        for listener in wanted:
            listener.setblocking(False)
            self._poller.register(listener, _READ, self._accepted)
        self._listeners = wanted

    def _has_room(self) -> bool:
        return len(self.connections) < self._most

    def _dispensable(self) -> Connection | None:
        """The connection to close for a new one."""
        return idlest(self.connections) or self._queue.last_of_most()

    def drop_idle(self) -> None:
        for each in list(self.connections):
            if each.state in (State.IDLE, State.HEAD):
                self._drop(each)

    def close(self) -> None:
        for each in list(self.connections):
            self._drop(each)
        self._poller.close()
        self._calls.close()

    def _look(self, now: float) -> None:
        """Drop connections past their deadline, and some that hold too many resources."""
        for each in list(self.connections):
            ends = deadline(each, self._limits)
            if ends is not None and ends <= now:
                self._too_slow(each)
        for each in surplus_bodies(self.connections, self._limits):
            self._refuse(each, refusals.FULL)
        # The remaining threads serve booting nodes.
        for each in surplus_waiting(self.connections, max(1, self._cfg.threads // 4)):
            self._give_up(each)
        for each in self._readers.surplus(self._reading, now):
            self._give_up(each)
        self._begin()

    def _too_slow(self, connection: Connection) -> None:
        match connection.state:
            case State.HEAD | State.BODY:
                self._refuse(connection, refusals.TOO_SLOW)
            case State.IDLE | State.ENDING:
                self._drop(connection)
            case _:
                self._give_up(connection)

    def _give_up(self, connection: Connection) -> None:
        """Drop a slow reader. A thread that still writes to it gets an error; then the connection is closed."""
        if connection.state is State.BUSY:
            self._watch(connection, 0)
            connection.answer.fail()
        else:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        if connection.closed:
            return
        self._watch(connection, 0)
        self._queue.remove(connection)
        self.connections.discard(connection)
        self._reading.discard(connection)
        # The kernel's send buffer for a client that reads nothing is dropped too.
        connection.close(abort=connection.state in (State.BUSY, State.ANSWERED))

    def _accepted(self, listener: socket.socket) -> None:
        if not self._has_room() and (given_up := self._dispensable()) is not None:
            self._drop(given_up)
        try:
            sock, peer = listener.accept()
        except OSError as exc:  # another process accepted it, or the client has gone
            if exc.errno in (errno.EMFILE, errno.ENFILE) and (given_up := self._dispensable()) is not None:
                self._drop(given_up)
            return
        kept = partial(self._calls.defer, self._writable)
        connection = Connection(sock, peer, listener.getsockname(), self._cfg, self._limits, kept)
        self.connections.add(connection)
        # The request has often arrived already.
        self._readable(connection)

    def _watch(self, connection: Connection, events: int) -> None:
        """Register the connection's events with the poller."""
        if connection.watched == events:
            return
        if not events:
            self._poller.unregister(connection.sock)
        else:
            ready = self._readable if events == _READ else self._writable
            change = self._poller.modify if connection.watched else self._poller.register
            change(connection.sock, events, partial(ready, connection))
        connection.watched = events

    def _readable(self, connection: Connection, sock: object = None) -> None:
        if connection.closed or connection.state in _SERVED:
            return
        if connection.state is not State.ENDING:
            self._advance(connection, connection.receive)
        elif not connection.drop_received():
            self._drop(connection)

    def _advance(self, connection: Connection, step: Callable[[], bool]) -> None:
        """``step`` reads more of a request; a complete one is queued."""
        try:
            complete = step()
        except BlockingIOError:
            self._watch(connection, _READ)
        except RefusedError as exc:
            self._refuse(connection, exc.refusal)
        except (ParseException, NoMoreData) as exc:
            self._refuse(connection, refusals.refusal(exc))
        except (OSError, EOFError):
            self._drop(connection)
        else:
            self._watch(connection, 0 if complete else _READ)
            if complete:
                self._serve(connection)

    def _serve(self, connection: Connection) -> None:
        connection.enter(State.QUEUED)
        self._queue.add(connection)
        self._begin()

    def _begin(self) -> None:
        """Give queued requests to free threads, unless too many bytes of answers are unread."""
        while self._busy < self._cfg.threads and unread(self._reading) <= self._limits.most_unread_bytes:
            connection = self._queue.next(self._reading)
            if connection is None:
                return
            connection.enter(State.BUSY)
            self._busy += 1
            self._submit(connection)

    def _writable(self, connection: Connection, sock: object = None) -> None:
        """The client can take more of its answer, or a thread has buffered a part of one."""
        if connection.closed or connection.state not in _SERVED:
            return
        try:
            connection.answer.flush()
        except OSError:
            self._give_up(connection)
            return
        if connection.answer.unsent:
            self._reading.add(connection)
            self._watch(connection, _WRITE)
        else:
            self._reading.discard(connection)
            self._watch(connection, 0)
            if connection.state is State.ANSWERED:
                self._answered(connection)

    def _finished(self, connection: Connection) -> None:
        self._busy -= 1
        self._after(connection)
        self._begin()

    def _after(self, connection: Connection) -> None:
        if connection.closed:
            return
        connection.enter(State.ANSWERED)
        if connection.answer.failed:
            self._drop(connection)
        elif connection.answer.unsent:
            self._reading.add(connection)
            self._watch(connection, _WRITE)
        else:
            self._answered(connection)

    def _answered(self, connection: Connection) -> None:
        """The client has its whole answer; the next request may have arrived already."""
        if not connection.keep_alive:
            self._end(connection)
            return
        connection.enter(State.IDLE)
        self._advance(connection, connection.next_request)

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        request_id = str(uuid4())
        remote = connection.peer[0] if isinstance(connection.peer, tuple) else "local"
        fields = {"request_id": request_id, "remote": remote, "status": refusal.status, "why": refusal.message}
        LOG.info("request refused", extra=fields)
        try:
            connection.sock.send(refusal.reply(request_id))
        except OSError:
            self._drop(connection)
            return
        self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Shut down our side and wait a moment for the client's: a client that still sends loses an unread answer
        when the connection is closed.
        """
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(connection)
            return
        connection.enter(State.ENDING)
        self._watch(connection, _READ)
