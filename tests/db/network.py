"""A network of its own, whose packets can be made to vanish: Linux, root and iproute2 are needed."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import socket
import subprocess
import threading
from types import TracebackType
from typing import Self

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class NetworkUnavailable(Exception):
    """It cannot be made here; the message says why."""


class Network:
    """``address`` is in it, and answers to this machine until ``vanish``."""

    def __init__(self) -> None:
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise NetworkUnavailable("needs root and iproute2")
        name = secrets.token_hex(3)
        self._space = f"drydock-{name}"
        self._links = (f"dda{name}", f"ddb{name}")
        third = f"10.213.{secrets.randbelow(250)}"
        self._here, self.address = f"{third}.1", f"{third}.2"

    def __enter__(self) -> Self:
        here, there = self._links
        try:
            _ip("netns", "add", self._space)
            _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self._space)
            _ip("addr", "add", f"{self._here}/30", "dev", here)
            _ip("link", "set", here, "up")
            _ip("-n", self._space, "addr", "add", f"{self.address}/30", "dev", there)
            _ip("-n", self._space, "link", "set", there, "up")
        except subprocess.CalledProcessError as exc:
            self._remove()
            raise NetworkUnavailable(exc.stderr.strip()) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def listener(self) -> socket.socket:
        """A socket belongs to the network in which it was made."""
        made: list[socket.socket] = []

        def make() -> None:
            with open(f"/run/netns/{self._space}") as space:
                if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), _NEW_NETWORK) == 0:
                    made.append(socket.create_server((self.address, 0)))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not made:
            raise NetworkUnavailable("setns is not allowed here")
        return made[0]

    def vanish(self) -> None:
        """Nothing that is in it answers from now on, not even that it is gone."""
        _ip("-n", self._space, "route", "add", "blackhole", f"{self._here}/32")

    def _remove(self) -> None:
        subprocess.run(["ip", "netns", "del", self._space], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self._links[0]], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, text=True, check=True)
