"""HTTP to a BMC, for sushy: requests and conversations end in time, and nothing is taken from the environment."""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from sushy import connector as sushy_connector
from urllib3 import connection as transport
from urllib3.exceptions import HTTPError as TransportError

LARGEST_ANSWER = 16 * 1024 * 1024
CHUNK = 64 * 1024
CONVERSATION = 4
"""Timeouts that a conversation takes at most, however many requests it has."""


class ConversationOver(requests.ReadTimeout):
    """The time for a whole conversation with a BMC is over."""


class Allowance:
    """The time that the request under way may take, and the conversation that it belongs to. Of one thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._conversation = self._request = math.inf

    def begin_conversation(self) -> None:
        self._conversation = time.monotonic() + CONVERSATION * self._seconds

    def begin_logout(self) -> None:
        """Which a BMC is sent after a conversation, even if that took all its time."""
        self._conversation = time.monotonic() + self._seconds

    def begin_request(self) -> None:
        self._request = min(time.monotonic() + self._seconds, self._conversation)

    def left(self) -> float:
        """Seconds; raises ``TimeoutError`` if there are none."""
        left = self._request - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the answer is over")
        return left

    def is_over(self) -> bool:
        return time.monotonic() >= self._request

    def conversation_is_over(self) -> bool:
        return time.monotonic() >= self._conversation


class _TimedReader(io.RawIOBase):
    """What comes over a socket, headers too: each read waits only for as long as is left."""

    def __init__(self, raw: Any, sock: socket.socket, allowance: Allowance) -> None:
        super().__init__()
        self._raw, self._sock, self._allowance = raw, sock, allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._allowance.left())
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedConnection:
    """Mixed into urllib3's connections. ``allowance`` is set by the pool."""

    allowance: Allowance

    def response_class(self, sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *args, **options)
        raw = response.fp.detach()
        response.fp = io.BufferedReader(_TimedReader(raw, sock, self.allowance))
        return response


class _HttpConnection(_TimedConnection, transport.HTTPConnection):  # type: ignore[misc]
    pass


class _HttpsConnection(_TimedConnection, transport.HTTPSConnection):  # type: ignore[misc]
    pass


class _TimedPool:
    """Mixed into urllib3's pools. ``allowance`` is set by the adapter."""

    allowance: Allowance

    def _new_conn(self) -> Any:
        made = super()._new_conn()  # type: ignore[misc]
        made.allowance = self.allowance
        return made


class _HttpPool(_TimedPool, urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(_TimedPool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class BoundedAdapter(HTTPAdapter):
    """requests' timeout is for each read from the socket; an answer that comes a byte at a time would take for ever."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.allowance = self._allowance
        return pool

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        self._allowance.begin_request()
        try:
            options |= {"stream": True, "timeout": self._allowance.left()}
            return _whole(super().send(request, *args, **options), request)
        except (requests.RequestException, TransportError, OSError) as exc:
            if self._allowance.conversation_is_over():
                raise ConversationOver(request=request) from exc
            if self._allowance.is_over():
                raise requests.ReadTimeout(request=request) from exc
            if isinstance(exc, requests.RequestException):
                raise
            raise requests.ConnectionError(exc, request=request) from exc


def _whole(response: requests.Response, request: Any) -> requests.Response:
    """With its body read."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise requests.ConnectionError("the answer is too large", request=request)
    finally:
        response.close()
    response._content = bytes(body)
    response._content_consumed = True  # type: ignore[attr-defined]
    return response


def make_connector(url: str, *, verify: bool | str, seconds: float, allowance: Allowance) -> Any:
    """One try for a request that finds no server, one more for a 5xx; sushy's own default is half a minute."""
    made = sushy_connector.Connector(
        url,
        verify=verify,
        server_side_retries=1,
        server_side_retries_delay=0,
        default_request_timeout=seconds,
    )
    # NOTE: requests would take proxies and a netrc from the environment, and with them another password.
    made._session.trust_env = False
    for scheme in ("http://", "https://"):
        made._session.mount(scheme, BoundedAdapter(allowance))
    return made
