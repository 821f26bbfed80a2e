"""``Answer``: output of a connection. What the client does not take at once is buffered; the thread goes on."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

#: Smaller parts are joined: one packet costs less than two.
_SMALL = 65536


class Answer:
    """A socket for gunicorn. The request's thread calls ``sendall``; the loop calls ``flush`` when it can write.

    ``kept`` is called each time buffering begins. A thread waits in ``sendall`` only while more
    than ``ahead`` bytes of a generated answer are buffered; ``fail`` ends that wait and all later calls.
    """

    def __init__(self, sock: socket.socket, *, ahead: int, kept: Callable[[], None]) -> None:
        self._sock = sock
        self._ahead = ahead
        self._kept = kept
        self._state = threading.Condition()
        self._parts: deque[memoryview] = deque()
        self._held = b""
        self._holding = False
        self.failed = False
        self._sent = 0
        self.unsent = 0
        self.waiting = False
        #: When buffering began, and the bytes that the client had taken by then.
        self.since = 0.0
        self._taken_before = 0

    def begin(self) -> None:
        """The next ``sendall`` has an answer's head, which is sent together with what follows it."""
        self._holding = True

    def sendall(self, data: bytes) -> None:
        """Raises ``BrokenPipeError`` when the client has gone or was dropped."""
        with self._state:
            if self._holding:
                self._holding = False
                self._held = data
                return
            if self._held:
                data, self._held = self._joined(data), b""
            self._wait_for_room()
            first = not self._parts
            rest = self._send(memoryview(data)) if first else memoryview(data)
            if not rest:
                return
            self._parts.append(rest)
            self.unsent += len(rest)
            if first:
                self.since, self._taken_before = time.monotonic(), self.taken()
        if first:
            self._kept()

    def take_back(self) -> bool:
        """Discard what is held back. True if nothing of the answer was sent, so that another can replace it."""
        unsaid, self._holding, self._held = self._holding or bool(self._held), False, b""
        return unsaid

    def end(self) -> None:
        """The answer is complete: send what was held back."""
        self._holding = False
        if self._held:
            self.sendall(b"")

    def flush(self) -> None:
        """Send what the socket accepts. Raises ``OSError``."""
        with self._state:
            while self._parts:
                rest = self._send(self._parts[0])
                self.unsent -= len(self._parts[0]) - len(rest)
                if rest:
                    self._parts[0] = rest
                    break
                self._parts.popleft()
            self._state.notify_all()

    def fail(self) -> None:
        with self._state:
            self.failed = True
            self._parts.clear()
            self.unsent = 0
            self._state.notify_all()

    def taken(self) -> int:
        """Bytes that the client's kernel has acknowledged, without those in our send buffer."""
        try:
            waiting: int = struct.unpack("i", fcntl.ioctl(self._sock, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        except OSError:
            waiting = 0
        return self._sent - waiting

    def taken_since_kept(self) -> int:
        return self.taken() - self._taken_before

    def _joined(self, data: bytes) -> bytes:
        if len(data) <= _SMALL:
            return self._held + data
        # A large part is not copied for the sake of its head.
        rest = self._send(memoryview(self._held)) if not self._parts else memoryview(self._held)
        return bytes(rest) + data if rest else data

    def _wait_for_room(self) -> None:
        self.waiting = self.unsent > self._ahead
        while self.unsent > self._ahead and not self.failed:
            self._state.wait()
        self.waiting = False
        if self.failed:
            raise BrokenPipeError("the client did not take its answer")

    def _send(self, data: memoryview) -> memoryview:
        """The part of ``data`` that was not sent."""
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            return data
        except OSError:
            self.failed = True
            raise
        self._sent += sent
        return data[sent:]
