"""Blank machines: QEMU's, in a libvirtd, with UEFI, two empty disks and three NICs. Off until their BMC is asked."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.metal.tools import Tools
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.packages import Unavailable

DOMAIN = Path(__file__).with_name("machine.xml")
FIRMWARE, VARIABLES = "usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd"
MEMORY_MIB = 2048
#: The design names the second one for the system.
DATA_DISK, ROOT_DISK = "2G", "24G"
SECTOR = 512
#: Of the protective MBR and the GPT.
TABLE_SECTORS = 34


@dataclass(frozen=True, slots=True)
class Machine:
    """``number``: the last part of its addresses. ``directory``: of its disks, and of its console's log."""

    name: str
    number: int
    directory: Path

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))

    @property
    def macs(self) -> Sequence[str]:
        return [f"52:54:00:0a:{self.number:02x}:{nic:02x}" for nic in range(3)]

    @property
    def console(self) -> Path:
        return self.directory / f"{self.name}.console"

    def disk(self, name: str) -> Path:
        """``root`` or ``data``."""
        return self.directory / f"{self.name}-{name}.qcow2"

    def console_text(self, start: int = 0) -> str:
        if not self.console.exists():
            return ""
        return self.console.read_bytes()[start:].decode(errors="replace").replace("\r", "")


def define(machine: Machine, daemon: LibvirtDaemon, tools: Tools) -> None:
    for name, size in (("data", DATA_DISK), ("root", ROOT_DISK)):
        tools.run("qemu-img", "create", "-q", "-f", "qcow2", machine.disk(name), size)
    xml = machine.directory / f"{machine.name}.xml"
    xml.write_text(
        DOMAIN.read_text().format(
            name=machine.name, uuid=machine.uuid, memory=MEMORY_MIB, directory=machine.directory, macs=machine.macs,
            firmware=tools.path(FIRMWARE), variables=tools.path(VARIABLES),
        )
    )  # fmt: skip
    daemon.run("define", str(xml))


def is_running(machine: Machine, daemon: LibvirtDaemon) -> bool:
    return daemon.run("domstate", machine.name) == "running"


def holds_partitions(machine: Machine, disk: str, tools: Tools) -> bool:
    """Whether anything is where partition tables are: the first and the last sectors, read from outside."""
    size = int(json.loads(tools.run("qemu-img", "info", "-U", "--output=json", machine.disk(disk)))["virtual-size"])
    part = machine.directory / f"{machine.name}.sectors"
    found = b""
    for start in (0, size // SECTOR - TABLE_SECTORS):
        tools.run(
            "qemu-img", "dd", "-U", "-f", "qcow2", "-O", "raw", f"bs={SECTOR}", f"skip={start}",
            # Counted from the start of the file.
            f"count={start + TABLE_SECTORS}", f"if={machine.disk(disk)}", f"of={part}",
        )  # fmt: skip
        found += part.read_bytes()
        part.unlink()
    return any(found)


def keep(machine: Machine, disk: str) -> Path:
    """A copy of a disk as it is now; cheap, as most of it was never written."""
    copy = machine.disk(disk).with_suffix(".before")
    shutil.copy(machine.disk(disk), copy)
    return copy


def is_as_before(machine: Machine, disk: str, before: Path, tools: Tools) -> bool:
    """Whether each byte is what it was when ``before`` was kept."""
    try:
        tools.run("qemu-img", "compare", "-U", "-f", "qcow2", "-F", "qcow2", before, machine.disk(disk))
    except Unavailable:
        return False
    return True
