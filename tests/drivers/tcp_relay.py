"""Between a driver and a TCP server: networks that are silent, slow, or reset the connection in the middle."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from types import TracebackType
from typing import Self

from dev.peers.certificates import Pair


class TcpRelay:
    """``delay``: seconds, of each piece of an answer. ``after``: bytes of answers until the connection is reset; with
    0 nothing is passed on at all. ``certificate``: TLS ends here, and nothing is behind it.
    """

    def __init__(
        self, port: int, *, delay: float = 0, after: int | None = None, certificate: Pair | None = None
    ) -> None:
        self._upstream = ("127.0.0.1", port)
        self._delay, self._after = delay, after
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._ended = threading.Event()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(near)
            if self._context is not None:
                self._start(self._shake_hands, near, self._context)
            elif self._after != 0:
                far = socket.create_connection(self._upstream)
                self._open.append(far)
                self._start(self._outward, near, far)
                self._start(self._inward, far, near)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _shake_hands(near: socket.socket, context: ssl.SSLContext) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(near, server_side=True) as wrapped:
            wrapped.recv(1)

    @staticmethod
    def _outward(near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                far.sendall(data)
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)

    def _inward(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                time.sleep(self._delay)
                passed += len(data)
                if self._after is not None and passed > self._after:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # The other thread waits in recv, and holds the socket as long as it does.
                    near.shutdown(socket.SHUT_RD)
                    time.sleep(0.05)
                    near.close()
                    return
                near.sendall(data)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        # One that waits for a socket which another one reset is left behind.
        for thread in self._threads:
            thread.join(0.5)
