"""The network of the site, in a namespace of its own: two switches, the addresses of services and BMCs, DHCP.

``prov``: where machines are installed. ``data``: what the members of bonds are plugged into. There is no way out.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev import processes
from dev.metal.tools import Tools
from dev.peers.peer import Peer

#: Of all services, on ``prov``.
ADDRESS = "10.77.1.1"
BMC_NETWORK = "10.77.2"
DHCP_RANGE = "10.77.1.100,10.77.1.199,1h"


def bmc_address(number: int) -> str:
    return f"{BMC_NETWORK}.{number}"


def set_up(numbers: Sequence[int]) -> None:
    """In this process's namespace; ``numbers``: of machines, each of which has a BMC with an address of its own."""
    _ip("link", "set", "lo", "up")
    for bridge in ("prov", "data"):
        _ip("link", "add", bridge, "type", "bridge")
        _ip("link", "set", bridge, "up")
    _ip("address", "add", f"{ADDRESS}/24", "dev", "prov")
    for number in numbers:
        _ip("address", "add", f"{bmc_address(number)}/24", "dev", "prov")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class DhcpServer(Peer):
    """Debian's dnsmasq, for the agent's ramdisk; installed machines have the addresses of their design."""

    def __init__(self, directory: Path, tools: Tools) -> None:
        self.log = directory / "dnsmasq.log"
        self._tools = tools
        self._child: processes.Child | None = None

    def start(self) -> None:
        options = [
            "--conf-file=/dev/null", "--keep-in-foreground", "--port=0", "--interface=prov", "--bind-interfaces",
            f"--dhcp-range={DHCP_RANGE}", "--leasefile-ro", "--no-ping", "--dhcp-authoritative", "--user=root",
            # The agents' ramdisks have one machine-id, of which their client identifiers are made.
            "--dhcp-ignore-clid", "--log-facility=-", "--pid-file=", "--dhcp-option=3", "--log-dhcp",
        ]  # fmt: skip
        program = self._tools.path("usr/sbin/dnsmasq")
        ready = processes.line_ready(self.log, "DHCP, IP range")
        self._child = processes.start(
            "dnsmasq", [program, *options], log=self.log, environment=self._tools.environment()
        )
        self._child.wait_ready(ready)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
