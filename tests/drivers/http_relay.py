"""Between a Redfish driver and a real peer: what networks and BMCs do that the peer does not show.

with HttpRelay(emulator.url, verify=ca, certificate=pair) as relay:
    relay.fault = Fault.SILENT
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from types import TracebackType
from typing import Self

import requests

from dev.peers.certificates import Pair
from tests.http_peer import Answer, Request, serving

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
        self.url = ""
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
        self._upstream, self._verify, self._certificate = upstream, verify, certificate
        self._running = ExitStack()

    def count(self, method: str, end: str = "") -> int:
        return sum(1 for verb, path in self.requests if verb == method and path.endswith(end))

    def __enter__(self) -> Self:
        self.url = self._running.enter_context(serving(self._answer, certificate=self._certificate)).url()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def _answer(self, request: Request) -> Answer | None:
        with self._lock:
            self.requests.append((request.method, request.path))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._faulty(request)
        finally:
            with self._lock:
                self._at_once -= 1

    def _faulty(self, request: Request) -> Answer | None:
        match self.fault:
            case Fault.SILENT:
                return None
            case Fault.BUSY if "/Systems/" in request.path:
                return _json(self.status, _error(self.message))
            case Fault.LIES if request.path.endswith("ComputerSystem.Reset"):
                return _json(204, b"")
        if self.forbidden is not None and request.path.endswith(self.forbidden):
            return _json(403, _error("the account has not the privilege"))
        own = self.allowed and request.path.startswith(SESSIONS)
        answer = self._session(request) if own else self._relayed(request)
        match self.fault:
            case Fault.SLOW:
                return replace(answer, after=0.5)
            case Fault.TRICKLE:
                return replace(answer, pace=0.05)
            case Fault.RESET:
                longer = {"Content-Length": str(len(answer.body) + 10)}
                return replace(answer, reset=True, headers={**answer.headers, **longer})
        return answer

    def _relayed(self, request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Connection")}
        token = headers.pop("X-Auth-Token", None)
        if token is not None:
            headers["Authorization"] = self.tokens.get(token, "Basic Og==")
        got = self._forward(request.method, request.path, headers, request.body)
        content = got.content
        if self.allowed and request.path.rstrip("/") == "/redfish/v1":
            content = json.dumps({**got.json(), "Links": {"Sessions": {"@odata.id": SESSIONS}}}).encode()
        return _json(got.status_code, content, {name: got.headers[name] for name in PASSED_ON if name in got.headers})

    def _forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self._upstream + path, headers=headers, data=body, verify=self._verify or False, timeout=30
            )

    def _session(self, request: Request) -> Answer:
        if request.method == "DELETE":
            self.tokens.pop(request.path.rpartition("/")[2], None)
            return _json(204, b"")
        self.logins += 1
        given = request.json
        account = base64.b64encode(f"{given['UserName']}:{given['Password']}".encode()).decode()
        basic = {"Authorization": f"Basic {account}"}
        if self._forward("GET", "/redfish/v1/Systems", basic, b"").status_code == 401:
            return _json(401, _error("the account or the password is wrong"))
        if len(self.tokens) >= self.allowed:
            return _json(503, _error("Base.1.8.SessionLimitExceeded", "Base.1.8.SessionLimitExceeded"))
        token = secrets.token_hex(8)
        self.tokens[token] = basic["Authorization"]
        return _json(201, b"{}", {"X-Auth-Token": token, "Location": f"{SESSIONS}/{token}"})


def _error(message: str, code: str = "Base.1.8.GeneralError") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _json(status: int, content: bytes, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, content, {"Content-Type": "application/json", **(headers or {})})
