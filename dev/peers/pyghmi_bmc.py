"""IPMI BMCs of pyghmi's own server class (1.6.19), many in one process.

    with PyghmiBmcs(directory, count=100) as bmcs:
        bmcs.power(bmcs.ports[0])

It shares code with pyghmi's client: ``ipmi_sim`` is the independent one. A boot device reads back as it was set.
No root and no packages: ready in 0.5 s, with 1 BMC or with 100.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from dev import processes
from dev.peers.ipmi_sim import USER, free_udp_ports
from dev.peers.peer import Peer
from dev.ports import LOOPBACK

START_SECONDS = 60
ROOT = Path(__file__).parents[2]


class PyghmiBmcs(Peer):
    """Running BMCs on UDP ``ports`` of loopback, with one account."""

    def __init__(self, directory: Path, *, count: int = 1) -> None:
        self.host = LOOPBACK
        self.ports = free_udp_ports(count)
        self.user, self.password = USER, secrets.token_urlsafe(9)
        self.log = directory / "pyghmi-bmc.log"
        self._directory = directory
        self._child: processes.Child | None = None

    def power(self, port: int) -> str:
        """What the machine is, read without IPMI: ``on`` or ``off``."""
        return self._read(f"power-{port}", "off")

    def boot_device(self, port: int) -> str:
        """The device last set, in pyghmi's words such as ``network``."""
        return self._read(f"boot-{port}", "default")

    def spoil(self, port: int, fault: str) -> None:
        """``stuck``: changes of power are accepted and not made; ``busy``: each command is answered so.

        ``short``: each command is answered with success and no data.
        """
        (self._directory / f"{fault}-{port}").touch()

    def start(self) -> None:
        """Start all, or start them again as they were."""
        self._directory.mkdir(parents=True, exist_ok=True)
        password = self._directory / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        ready = processes.line_ready(self.log, f"{len(self.ports)} BMCs")
        program = [sys.executable, "-m", "dev.peers.pyghmi_program", str(self._directory), *map(str, self.ports)]
        self._child = processes.start("pyghmi BMCs", program, log=self.log, directory=ROOT)
        self._child.wait_ready(ready, seconds=START_SECONDS)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _read(self, name: str, default: str) -> str:
        file = self._directory / name
        return file.read_text() if file.exists() else default
