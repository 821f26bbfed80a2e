"""Real HTTP servers on loopback whose answers a test decides.

with serving(lambda request: Answer(body=request.path.encode())) as peer:
    requests.get(peer.url("/x"))
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer, ThreadingMixIn
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from requests.structures import CaseInsensitiveDict

from dev.peers.certificates import Pair

#: The longest that an answer is held back.
HELD_SECONDS = 60.0


class Request(NamedTuple):
    method: str
    path: str
    headers: CaseInsensitiveDict[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """``after``: seconds until it begins. ``pace``: seconds between the bytes of the body.
    ``head_pace``: seconds between those of a long header.

    ``cut_to``: the number of bytes of the body that are sent. ``held``: then the connection stays open until this is
    set. ``reset``: then the connection is reset.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0
    pace: float = 0
    head_pace: float = 0
    cut_to: int | None = None
    held: threading.Event | None = None
    reset: bool = False


#: An answer for each request; ``None`` is silence: the connection stays open and nothing is sent.
Answers = Callable[[Request], Answer | None]


@dataclass
class Peer:
    """``requests``: in the order in which they came."""

    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "", host: str = "127.0.0.1", credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}{host}:{self.port}{path}"

    def paths(self, method: str) -> list[str]:
        return [request.path for request in self.requests if request.method == method]

    def posted(self, path: str) -> list[Any]:
        return [request.json for request in self.requests if (request.method, request.path) == ("POST", path)]


@contextmanager
def serving(answers: Answers, *, certificate: Pair | None = None, keep_alive: bool = False) -> Iterator[Peer]:
    """An error of ``answers`` is raised at the end. Without ``keep_alive`` a connection has one request."""
    peer = Peer(scheme="http" if certificate is None else "https")
    server = _Server(peer, _handler(peer, answers, keep_alive=keep_alive))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    peer.port = server.server_port
    with _running(server):
        try:
            yield peer
        finally:
            peer.ended.set()
    for error in peer.errors:
        raise error


@contextmanager
def serving_wsgi(port: int = 0) -> Iterator[WSGIServer]:
    """A server of the application that ``set_app`` is given."""
    server = _WsgiServer(("127.0.0.1", port), _QuietWsgiHandler)
    with _running(server):
        yield server


@contextmanager
def dripping(first: bytes) -> Iterator[Peer]:
    """Sends ``first``, then one byte at a time, and never ends by itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(listener.getsockname()[1])

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(first)
                    while not peer.ended.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield peer
        finally:
            peer.ended.set()
            thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _running(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, peer: Peer, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._peer = peer

    def handle_error(self, *_: object) -> None:
        """Keep what ``answers`` raised; a client that hangs up in the middle is what some tests are about."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self._peer.errors.append(error)


class _WsgiServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietWsgiHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _handler(peer: Peer, answers: Answers, *, keep_alive: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, CaseInsensitiveDict(self.headers.items()), body)
            peer.requests.append(request)
            answer = answers(request)
            if answer is None:
                peer.ended.wait(HELD_SECONDS)
                self.close_connection = True
            else:
                _send(self, answer, peer.ended)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _drip(handler: BaseHTTPRequestHandler, content: bytes, pace: float, ended: threading.Event) -> None:
    for each in content:
        handler.wfile.write(bytes([each]))
        ended.wait(pace)


def _send(handler: BaseHTTPRequestHandler, answer: Answer, ended: threading.Event) -> None:
    ended.wait(answer.after)
    handler.send_response(answer.status)
    if answer.head_pace:
        handler.flush_headers()
        _drip(handler, b"X-Slow: " + b"x" * 200, answer.head_pace, ended)
        handler.wfile.write(b"\r\n")
    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    body = answer.body[: answer.cut_to]
    if answer.pace:
        _drip(handler, body, answer.pace, ended)
    else:
        handler.wfile.write(body)
    if answer.held is not None:
        answer.held.wait(HELD_SECONDS)
    if answer.reset:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
