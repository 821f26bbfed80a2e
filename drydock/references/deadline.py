"""An HTTP transport that connects only to checked addresses and cuts connections at a deadline.

A name is resolved once, where its addresses are checked: a second resolution could return other addresses
(DNS rebinding).

Socket timeouts restart with every byte, so that a peer that sends one byte per second could hold its
caller for hours. A timer that cuts the connection ends any wait.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """For one fetch, as a context manager: every connection is cut ``seconds`` after entering.

    A reader then sees an end of the body: check ``late`` before using one.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._pins: dict[str, tuple[str, ...]] = {}
        self.late = False
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        watch, open_one = self._watch, self._open_one

        class Http(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

            def _new_conn(self) -> socket.socket:
                return open_one(self, super()._new_conn)

        class Https(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

            def _new_conn(self) -> socket.socket:
                return open_one(self, super()._new_conn)

        class HttpPool(HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(HTTPSConnectionPool):
            ConnectionCls = Https

        self.poolmanager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}

    def pin(self, host: str, addresses: Sequence[str]) -> None:
        """Connections to ``host`` go to these addresses, in order until one answers, and to no other."""
        self._pins[host.lower().rstrip(".")] = tuple(addresses)

    def __enter__(self) -> DeadlineAdapter:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _open_one(self, connection: HTTPConnection, open_socket: Callable[[], socket.socket]) -> socket.socket:
        """NOTE: urllib3 resolves ``host`` to connect, and afterwards checks the certificate against it."""
        host = connection.host
        failure: NewConnectionError | ConnectTimeoutError = NewConnectionError(connection, "no address was checked")
        for address in self._pins.get(host.lower().strip("[]"), ()):
            if self.late:
                break
            connection.host = address
            try:
                return open_socket()
            except (NewConnectionError, ConnectTimeoutError) as exc:
                failure = exc
            finally:
                connection.host = host
        raise failure

    def _watch(self, sock: socket.socket | None) -> None:
        with self._lock:
            if sock is not None:
                self._sockets.append(sock)
            if self.late:
                raise TimeoutError("time is up")

    def _cut(self) -> None:
        with self._lock:
            self.late = True
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    # Not the TLS socket's method, which removes the TLS state under the reading thread.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
