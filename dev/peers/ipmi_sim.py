"""IPMI 2.0 BMCs in C, which share no code with pyghmi: OpenIPMI's ``ipmi_sim`` (Debian's openipmi 2.0.33).

    with IpmiSim(directory, count=2) as sim:
        subprocess.run([*sim.ipmitool(sim.bmcs[0]), "power", "on"])

Fetched once in 10 s (no root: unpacked, not installed), then ready in 0.2 s for 1 BMC and for 10: one process for each.
It offers cipher suite 3, not 17. Boot devices read back without the valid bit, as "default" by pyghmi.
``Bmc.power`` reads the chassis from outside, without IPMI.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dev import processes
from dev.peers import packages
from dev.ports import LOOPBACK

PACKAGES = ("openipmi", "ipmitool")
CHASSIS_CONTROL = Path(__file__).with_name("chassis_control.sh")
USER = "admin"
EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""


@dataclass(frozen=True, slots=True)
class Bmc:
    """Where one BMC is, and its account."""

    port: int
    user: str
    password: str
    directory: Path

    @property
    def power(self) -> str:
        """What the chassis is: ``on`` or ``off``."""
        file = self.directory / "power"
        return "on" if file.exists() and file.read_text().strip() == "1" else "off"

    @property
    def boot_device(self) -> str:
        """``default``, ``pxe``, ``disk``, ``cdrom``, ``bios``."""
        file = self.directory / "boot"
        return file.read_text().strip() if file.exists() else "default"


class IpmiSim:
    """Running BMCs on UDP ports of loopback. Raises ``packages.Unavailable`` where there is no apt-get."""

    def __init__(self, directory: Path, *, count: int = 1) -> None:
        self._home = packages.ensure("ipmi", PACKAGES)
        self._environment = packages.environment(self._home)
        password = secrets.token_urlsafe(9)
        self.bmcs = [Bmc(port, USER, password, directory / f"bmc-{port}") for port in free_udp_ports(count)]
        self._children: list[processes.Child] = []

    def ipmitool(self, bmc: Bmc, *, password: str | None = None) -> list[str]:
        """The start of a command line of ipmitool for ``bmc``; run it with ``environment``."""
        account = ["-U", bmc.user, "-P", password or bmc.password]
        client = packages.program(self._home, "ipmitool")
        return [
            str(client),
            "-N",
            "1",
            "-R",
            "3",
            "-I",
            "lanplus",
            "-C",
            "3",
            "-H",
            LOOPBACK,
            "-p",
            str(bmc.port),
            *account,
        ]

    def run(self, bmc: Bmc, *words: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
        """Ask ``bmc`` with ipmitool, such as ``run(bmc, "power", "status")``."""
        command = [*self.ipmitool(bmc, password=password), *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)

    def start(self) -> None:
        """Start all; those that ran before keep their power and boot device."""
        for bmc in self.bmcs:
            bmc.directory.mkdir(parents=True, exist_ok=True)
            configuration, emulation = bmc.directory / "lan.conf", bmc.directory / "sim.emu"
            configuration.write_text(_configuration(bmc))
            emulation.write_text(EMULATION)
            # -n: no console on standard input, which is not ours.
            options = ["-n", "-c", str(configuration), "-f", str(emulation), "-s", str(bmc.directory / "state")]
            self._children.append(
                processes.start(
                    f"ipmi_sim {bmc.port}",
                    [packages.program(self._home, "ipmi_sim"), *options],
                    log=bmc.directory / "ipmi_sim.log",
                    environment=self._environment,
                )
            )
        for child, bmc in zip(self._children, self.bmcs, strict=True):
            child.wait_ready(lambda port=bmc.port: _answers(port))  # type: ignore[misc]

    def stop(self) -> None:
        while self._children:
            self._children.pop().stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _configuration(bmc: Bmc) -> str:
    levels = ("callback", "user", "operator", "admin")
    allowed = "".join(f"    allowed_auths_{level} none md2 md5 straight\n" for level in levels)
    return (
        f'name "bmc-{bmc.port}"\nset_working_mc 0x20\n'
        f"  startlan 1\n    addr {LOOPBACK} {bmc.port}\n    priv_limit admin\n{allowed}"
        f"    guid {bmc.port:032x}\n  endlan\n"
        f'  user 1 false "" "" user 10 none\n'
        f'  user 2 true "{bmc.user}" "{bmc.password}" admin 10 none md2 md5 straight\n'
        f'  chassis_control "{CHASSIS_CONTROL} {bmc.directory}"\n'
    )


def free_udp_ports(count: int) -> Sequence[int]:
    """UDP ports of loopback that were free a moment ago."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _answers(port: int) -> bool:
    """Whether a BMC answers to the ping of RMCP (ASF presence ping)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect((LOOPBACK, port))
            probe.send(bytes.fromhex("0600ff06 000011be 80010000"))
            return bool(probe.recv(64))
        except OSError:
            return False
