"""An HTTP transport whose connections are cut when a time is up.

Timeouts of sockets start anew with every byte: a peer that sends one byte per second, in the headers say, holds its
caller for hours. Cutting the connection from a timer ends any wait.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """For one fetch, used as a context manager: every connection it opened is cut ``seconds`` after entering.

    A reader then sees an end of the body, so ask ``late`` before believing one.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.late = False
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        watch = self._watch

        class Http(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

        class Https(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                watch(self.sock)

        class HttpPool(HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(HTTPSConnectionPool):
            ConnectionCls = Https

        self.poolmanager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}

    def __enter__(self) -> DeadlineAdapter:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()

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
                    # Not the method of a TLS socket: that one takes the TLS state away from the thread reading.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
