"""Between a Redfish driver and a real peer: what networks and BMCs do that the peer does not show.

with HttpRelay(emulator.url, verify=ca, certificate=pair) as relay:
    relay.fault = Fault.SILENT
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import ssl
import struct
import threading
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import requests

from dev.peers.certificates import Pair

PASSED_ON = ("Content-Type", "ETag", "Location", "WWW-Authenticate")
SESSIONS = "/redfish/v1/SessionService/Sessions"


class Fault(StrEnum):
    NONE = "none"
    SILENT = "silent"
    """No answer."""
    SLOW = "slow"
    """Each answer after half a second."""
    TRICKLE = "trickle"
    """A byte of the body each 50 ms."""
    RESET = "reset"
    """The connection is reset in the middle of the answer."""
    BUSY = "busy"
    """Each request of a system is answered with ``status`` and ``message``."""
    LIES = "lies"
    """Resets are accepted and not passed on."""


class HttpRelay:
    """``sessions``: it has a SessionService of its own, with at most that number of sessions."""

    def __init__(
        self, upstream: str, *, verify: str | None, certificate: Pair | None = None, sessions: int = 0
    ) -> None:
        self.fault = Fault.NONE
        self.status, self.message = 409, "the system is busy"
        self.allowed = sessions
        #: What the account may not read: the end of a path.
        self.forbidden: str | None = None
        self.tokens: dict[str, str] = {}
        self.logins = 0
        self.requests: list[tuple[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._upstream, self._verify = upstream, verify
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def count(self, method: str, end: str = "") -> int:
        return sum(1 for verb, path in self.requests if verb == method and path.endswith(end))

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self._upstream + path, headers=headers, data=body, verify=self._verify or False, timeout=30
            )

    def begin(self, method: str, path: str) -> None:
        with self._lock:
            self.requests.append((method, path))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def end(self) -> None:
        with self._lock:
            self._at_once -= 1

    def wait(self, seconds: float) -> None:
        self._ended.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away; that is what the tests are about."""


def _handler(relay: HttpRelay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            relay.begin(self.command, self.path)
            try:
                _serve(self, relay)
            finally:
                relay.end()

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def _serve(handler: BaseHTTPRequestHandler, relay: HttpRelay) -> None:
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    if relay.fault is Fault.SILENT:
        relay.wait(30)
        return
    if relay.fault is Fault.SLOW:
        relay.wait(0.5)
    if relay.fault is Fault.BUSY and "/Systems/" in handler.path:
        _answer(handler, relay.status, _error(relay.message))
        return
    if relay.forbidden is not None and handler.path.endswith(relay.forbidden):
        _answer(handler, 403, _error("the account has not the privilege"))
        return
    if relay.fault is Fault.LIES and handler.path.endswith("ComputerSystem.Reset"):
        _answer(handler, 204, b"")
        return
    if relay.allowed and handler.path.startswith(SESSIONS):
        _session(handler, relay, body)
        return
    headers = {name: value for name, value in handler.headers.items() if name not in ("Host", "Connection")}
    token = headers.pop("X-Auth-Token", None)
    if token is not None:
        headers["Authorization"] = relay.tokens.get(token, "Basic Og==")
    got = relay.forward(handler.command, handler.path, headers, body)
    content = got.content
    if relay.allowed and handler.path.rstrip("/") == "/redfish/v1":
        content = json.dumps({**got.json(), "Links": {"Sessions": {"@odata.id": SESSIONS}}}).encode()
    if relay.fault is Fault.RESET:
        _reset(handler, content)
        return
    passed = {name: got.headers[name] for name in PASSED_ON if name in got.headers}
    _answer(handler, got.status_code, content, passed, trickle=relay.fault is Fault.TRICKLE)


def _session(handler: BaseHTTPRequestHandler, relay: HttpRelay, body: bytes) -> None:
    if handler.command == "DELETE":
        relay.tokens.pop(handler.path.rpartition("/")[2], None)
        _answer(handler, 204, b"")
        return
    relay.logins += 1
    given = json.loads(body)
    account = base64.b64encode(f"{given['UserName']}:{given['Password']}".encode()).decode()
    basic = {"Authorization": f"Basic {account}"}
    if relay.forward("GET", "/redfish/v1/Systems", basic, b"").status_code == 401:
        _answer(handler, 401, _error("the account or the password is wrong"))
    elif len(relay.tokens) >= relay.allowed:
        _answer(handler, 503, _error("Base.1.8.SessionLimitExceeded", "Base.1.8.SessionLimitExceeded"))
    else:
        token = secrets.token_hex(8)
        relay.tokens[token] = basic["Authorization"]
        _answer(handler, 201, b"{}", {"X-Auth-Token": token, "Location": f"{SESSIONS}/{token}"})


def _error(message: str, code: str = "Base.1.8.GeneralError") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _answer(
    handler: BaseHTTPRequestHandler,
    status: int,
    content: bytes,
    headers: dict[str, Any] | None = None,
    *,
    trickle: bool = False,
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if not trickle:
        handler.wfile.write(content)
        return
    for each in content:
        handler.wfile.write(bytes([each]))
        handler.wfile.flush()
        time.sleep(0.05)


def _reset(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(content) + 10) + content)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())
