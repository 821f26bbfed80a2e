"""Between an IPMI driver and a real BMC: networks that lose, delay and stop."""

from __future__ import annotations

import select
import socket
import threading
import time
from types import TracebackType
from typing import Self


class UdpRelay:
    """``delay``: seconds, of each answer. ``after``: packets from the client until all is lost. ``lost``: the
    number of the one packet that is lost, both ways counted.
    """

    def __init__(self, port: int, *, delay: float = 0, after: int | None = None, lost: int = 0) -> None:
        self._delay, self._after, self._lost = delay, after, lost
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self.port = int(self._near.getsockname()[1])
        self._upstream = ("127.0.0.1", port)
        self._far: dict[tuple[str, int], socket.socket] = {}
        self._seen = 0
        self._turn = 0
        self._ended = False
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while not self._ended:
            ready, _, _ = select.select([self._near, *self._far.values()], [], [], 0.02)
            for each in ready:
                if each is self._near:
                    self._outward()
                else:
                    self._inward(each)

    def _outward(self) -> None:
        data, client = self._near.recvfrom(4096)
        self._seen += 1
        if self._is_lost() or (self._after is not None and self._seen > self._after):
            return
        if client not in self._far:
            self._far[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far[client].sendto(data, self._upstream)

    def _inward(self, far: socket.socket) -> None:
        data, _ = far.recvfrom(4096)
        client = next(each for each, its in self._far.items() if its is far)
        if self._is_lost():
            return
        time.sleep(self._delay)
        self._near.sendto(data, client)

    def _is_lost(self) -> bool:
        self._turn += 1
        return self._turn == self._lost

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._thread.join()
        for each in (self._near, *self._far.values()):
            each.close()
