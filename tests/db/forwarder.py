"""An address that can be moved from one server to another, and behind which everything can go silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

from dev.ports import LOOPBACK


class Forwarder:
    """Forwards TCP connections to ``port``, which may be changed: connections that are open stay where they are."""

    def __init__(self, port: int, listener: socket.socket | None = None) -> None:
        """``listener``: a socket to listen on, of another network, say."""
        self.target = port
        self._listener = listener or socket.create_server((LOOPBACK, 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._muted: set[socket.socket] = set()
        #: Whether connections that are made from now on are forwarded nowhere.
        self.mute = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def url(self, url: str) -> str:
        """The same database, by way of this address."""
        return make_url(url).set(host=self.host, port=self.port).render_as_string(hide_password=False)

    def silence(self) -> None:
        """What is open stays open, is acknowledged, and never answered again. New connections are forwarded."""
        self._muted.update(each for pair in self._pairs for each in pair)

    def cut(self) -> None:
        """End what is open."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((LOOPBACK, self.target))
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            if self.mute:
                self._muted |= {client, server}
            for source, sink in ((client, server), (server, client)):
                thread = threading.Thread(target=self._copy, args=(source, sink), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self._muted:
                    sink.sendall(data)
        if source not in self._muted:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
