"""A load generator in one thread: many connections, whole answers checked, each latency kept.

It costs about 25 µs of CPU per request, a tenth of what any of the servers it measures needs, and both sides of a
comparison get the same one. A *script* is the list of requests that one client makes, one after the other.
"""

from __future__ import annotations

import errno
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

#: A client whose answer does not come gives up after so many seconds.
PATIENCE = 60.0
#: Tries of one request by a client that got no answer at all, as curl --retry and wget make them.
TRIES = 20
RETRY_SECONDS = 0.1


_CLOSING = re.compile(rb"^connection: close\r$", re.IGNORECASE | re.MULTILINE)


class LoadFailed(Exception):
    """The server did not answer as it should; what was measured means nothing."""


@dataclass(slots=True)
class Result:
    """``answers``: by status. ``lost``: connections that ended without an answer. Latencies in seconds."""

    seconds: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return sum(self.answers.values()) / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class _Client:
    """One connection at a time, and the script that it is at."""

    __slots__ = ("at", "began", "lost", "received", "script", "sent", "sock", "wanted")

    def __init__(self) -> None:
        self.script: Sequence[bytes] = ()
        self.at = 0
        self.sock: socket.socket | None = None
        self.began = 0.0
        self.received = bytearray()
        self.wanted = 0
        self.sent = 0
        self.lost = 0


class Load:
    """``scripts`` may be endless; ``keep_alive`` false opens a connection for each request.

    Requests are to say so themselves (``Connection: close``).
    """

    def __init__(
        self, address: tuple[str, int], scripts: Iterator[Sequence[bytes]], *, connections: int, keep_alive: bool
    ) -> None:
        self._address = address
        self._scripts = scripts
        self._connections = connections
        self._keep_alive = keep_alive
        self._result = Result()
        self._selector = selectors.DefaultSelector()
        self._busy = 0
        self._later: list[tuple[float, _Client]] = []
        self._until = float("inf")

    def run(self, *, seconds: float | None = None, meanwhile: Callable[[int], None] | None = None) -> Result:
        """Until the scripts or the ``seconds`` end. ``meanwhile`` is called now and then with the number of answers."""
        started = time.perf_counter()
        self._until = started + seconds if seconds is not None else float("inf")
        for _ in range(self._connections):
            self._next_script(_Client())
        silent_since = time.perf_counter()
        while self._busy:
            ready = self._selector.select(0.05)
            now = time.perf_counter()
            for key, _ in ready:
                self._advance(key.data)
            self._retry_due(now)
            if ready:
                silent_since = now
            elif now - silent_since > PATIENCE:
                raise LoadFailed(f"no answer for {PATIENCE:g} s; so far {dict(self._result.answers)}")
            if meanwhile is not None:
                meanwhile(sum(self._result.answers.values()))
        self._result.seconds = time.perf_counter() - started
        self._selector.close()
        return self._result

    def _next_script(self, client: _Client) -> None:
        script = next(self._scripts, None) if time.perf_counter() < self._until else None
        if script is None:
            self._drop(client)
            return
        self._busy += 1
        client.script, client.at = script, 0
        self._send(client)

    def _send(self, client: _Client) -> None:
        client.received.clear()
        client.wanted = 0
        if client.lost == 0:
            client.began = time.perf_counter()
        if client.sock is None:
            self._open(client)
            return
        try:
            client.sock.send(client.script[client.at])
        except OSError:
            self._lose(client)

    def _open(self, client: _Client) -> None:
        sock = client.sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            self._drop(client)
            self._retry(client)
            return
        client.sent = 0
        self._selector.register(sock, selectors.EVENT_WRITE, client)

    def _advance(self, client: _Client) -> None:
        sock = client.sock
        if sock is None:
            return
        try:
            if not client.sent:
                # NOTE: requests are small enough for one send into an empty buffer.
                client.sent = sock.send(client.script[client.at])
                self._selector.modify(sock, selectors.EVENT_READ, client)
                return
            part = sock.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            self._lose(client)
            return
        if not part:
            self._lose(client)
            return
        client.received += part
        if not client.wanted:
            client.wanted = _length(client.received)
        if client.wanted and len(client.received) >= client.wanted:
            self._answered(client)

    def _answered(self, client: _Client) -> None:
        self._result.latencies.append(time.perf_counter() - client.began)
        self._result.answers[int(client.received[9:12])] += 1
        client.lost = 0
        client.at += 1
        if not self._keep_alive or _CLOSING.search(client.received, 0, client.received.find(b"\r\n\r\n") + 2):
            self._drop(client)
        if client.at < len(client.script):
            self._send(client)
        else:
            self._busy -= 1
            self._next_script(client)

    def _lose(self, client: _Client) -> None:
        """The connection ended. One that was kept alive and got nothing may simply have been closed as idle."""
        self._drop(client)
        self._retry(client)

    def _retry(self, client: _Client) -> None:
        self._result.lost += 1
        client.lost += 1
        if client.lost >= TRIES:
            raise LoadFailed(f"no answer in {TRIES} tries; so far {dict(self._result.answers)}")
        self._later.append((time.perf_counter() + RETRY_SECONDS, client))

    def _retry_due(self, now: float) -> None:
        due = [client for at, client in self._later if at <= now]
        self._later = [(at, client) for at, client in self._later if at > now]
        for client in due:
            self._send(client)

    def _drop(self, client: _Client) -> None:
        if client.sock is not None:
            if client.sock in self._selector.get_map():
                self._selector.unregister(client.sock)
            client.sock.close()
            client.sock = None


def _length(received: bytearray) -> int:
    """Bytes of the whole answer, 0 while its headers are incomplete."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return 0
    if bytes(received[9:12]) in (b"204", b"304"):
        return end + 4
    headers = bytes(received[:end]).lower()
    at = headers.find(b"\r\ncontent-length:")
    if at < 0:
        raise LoadFailed("an answer without Content-Length")
    return end + 4 + int(headers[at + 17 :].split(b"\r\n", 1)[0])


def request(
    method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"", keep_alive: bool
) -> bytes:
    """The bytes of one request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bench",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body
