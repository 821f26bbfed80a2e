"""``Connection``: one client. Reads without blocking and detects complete requests."""

from __future__ import annotations

import io
import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

from drydock.http_server.answer import Answer
from drydock.http_server.bodies import Body, BrokenBody, ChunkedBody, LengthBody
from drydock.http_server.limits import ServerLimits
from drydock.http_server.refusals import TOO_LARGE_HEAD, Refusal

_RECEIVED_AT_ONCE = 65536
#: gunicorn refuses this line end.
_BARE_LINE_END = re.compile(rb"(?<!\r)\n")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class State(Enum):
    """IDLE: no request. HEAD, BODY: one is arriving. QUEUED: it waits for a thread. BUSY: a thread serves it.

    ANSWERED: the thread is done, the client has not taken the whole answer. ENDING: input is dropped.
    """

    IDLE = 0
    HEAD = 1
    BODY = 2
    QUEUED = 3
    BUSY = 4
    ANSWERED = 5
    ENDING = 6


class RefusedError(Exception):
    """The server refuses the request; the connection ends."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Connection:
    """``since``: when it entered its state. ``request``: gunicorn's request, while there is one."""

    def __init__(
        self,
        sock: socket.socket,
        peer: Any,
        local: Any,
        cfg: Any,
        limits: ServerLimits,
        kept: Callable[[Connection], None],
    ) -> None:
        sock.setblocking(False)
        self._cfg = cfg
        self.sock = sock
        self.peer = peer
        self.local = local
        self.answer = Answer(sock, ahead=limits.ahead_bytes, kept=lambda: kept(self))
        self.request: Any = None
        self.body: Body = LengthBody(0)
        #: Bytes of the request's body in memory.
        self.body_bytes = 0
        self.served = 0
        self.keep_alive = False
        self.closed = False
        #: Events that the loop waits for: a mask of the selectors module, 0 for none.
        self.watched = 0
        self.state = State.IDLE
        self.since = time.monotonic()
        self._limits = limits
        self._received = bytearray()

    def enter(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()

    def receive(self) -> bool:
        """Read what has arrived. True when a request is complete, or cannot become so.

        Raises ``RefusedError``; ``EOFError`` when the client has gone; ``BlockingIOError`` when there is no input.
        """
        data = self.sock.recv(_RECEIVED_AT_ONCE)
        if not data:
            if self.state is State.BODY:
                return True
            raise EOFError
        if self.state is State.BODY:
            self._received += self.body.feed(data)
            self.body_bytes = self.body.size
            return self.body.done
        looked_at = max(0, len(self._received) - 3)
        self._received += data
        return self._head_complete(looked_at)

    def next_request(self) -> bool:
        """As ``receive``, for input that arrived together with the last request."""
        self.request = None
        self.body_bytes = 0
        return bool(self._received) and self._head_complete(0)

    def _head_complete(self, looked_at: int) -> bool:
        if self.state is not State.HEAD:
            self.enter(State.HEAD)
        end = self._received.find(b"\r\n\r\n", looked_at)
        if end < 0 and not _BARE_LINE_END.search(self._received, looked_at):
            if len(self._received) > self._limits.head_bytes:
                raise RefusedError(TOO_LARGE_HEAD)
            return False
        head = bytes(self._received[: end + 4]) if end >= 0 else bytes(self._received)
        if len(head) > self._limits.head_bytes:
            raise RefusedError(TOO_LARGE_HEAD)
        del self._received[: len(head)]
        return self._begin(head)

    def _begin(self, head: bytes) -> bool:
        self.served += 1
        # NOTE: gunicorn alone parses what the application gets, framing included.
        request = self.request = Request(self._cfg, _Head(head), self.peer, self.served)
        reader = request.body.reader
        if isinstance(reader, ChunkedReader):
            self.body = ChunkedBody(self._limits.body_bytes)
        else:
            self.body = LengthBody(reader.length)
            # The application refuses a body that is too large by its length.
            if self.body.done or reader.length > self._limits.body_bytes:
                return True
        self.enter(State.BODY)
        if self._received:
            received = bytes(self._received)
            self._received.clear()
            self._received += self.body.feed(received)
        elif request._expected_100_continue:
            self.sock.send(CONTINUE)
        return self.body.done

    def hand_over(self) -> None:
        """Prepare ``request`` so that a thread can serve it without waiting for the client.

        A chunked body gets a length. An unread, invalid or incomplete body ends the connection.
        """
        request, body = self.request, self.body
        request._expected_100_continue = False
        chunked = isinstance(body, ChunkedBody)
        if body.whole or body.too_large:
            request.body = io.BytesIO(body.content())
        else:
            request.body = BrokenBody()
        if not body.whole:
            request.force_close()
        elif chunked:
            request.headers = [(n, v) for n, v in request.headers if n != "TRANSFER-ENCODING"]
            request.headers.append(("CONTENT-LENGTH", str(body.size)))
        self.body = LengthBody(0)

    def drop_received(self) -> bool:
        """Read and discard input. False when the client has ended as well."""
        try:
            return bool(self.sock.recv(_RECEIVED_AT_ONCE))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self, *, abort: bool = False) -> None:
        """``abort``: also drop the kernel's send buffer, for a client that reads nothing."""
        self.closed = True
        self.answer.fail()
        if abort:
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.sock.close()


class _Head(Unreader):  # type: ignore[misc]
    """Source for gunicorn's parser: the complete head, then end of file."""

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self._head = head

    def chunk(self, size_hint: int | None = None) -> bytes:
        head, self._head = self._head, b""
        return head
