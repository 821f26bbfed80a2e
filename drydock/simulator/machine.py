"""One machine: its properties, state and events. ``life`` has the transitions."""

from __future__ import annotations

import hashlib
import pathlib
import re
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from drydock.simulator.errors import BadRequest
from drydock.simulator.faults import Fault, Faults

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)
HISTORY = 200
"""Events kept of each machine."""
VENDOR = "Example"
PRODUCT = "Simulated machine"
BIOS_VERSION = "1.0"
NIC_MBIT = 10_000
DISK_BYTES = 480 * 10**9
SMALL_DISK_BYTES = 8 * 10**9
#: Where its NICs and its disk are, as in the example design.
NICS = (("eno1", "0000:01:00.0"), ("ens1f0", "0000:18:00.0"), ("ens1f1", "0000:18:00.1"))
DISK = ("sda", "0:2.0.0")


class Power(StrEnum):
    ON = "on"
    OFF = "off"


class State(StrEnum):
    """States of a machine.

    ``booting``: power is on, no contact yet. ``stuck``: set to boot from an empty disk.
    ``discovered``: the provisioner has seen it. ``ready``: commissioned. ``restarting``: installed, on its way up.
    ``running``: the installed system is up. ``silent``: it makes no further contact.
    """

    OFF = "off"
    BOOTING = "booting"
    STUCK = "stuck"
    DISCOVERED = "discovered"
    COMMISSIONING = "commissioning"
    READY = "ready"
    INSTALLING = "installing"
    RESTARTING = "restarting"
    RUNNING = "running"
    SILENT = "silent"
    FAILED = "failed"


class Phase(StrEnum):
    """Phases of a deployment, as the provisioner knows them. A silent machine is ``deploying`` or ``deployed``."""

    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BootAction:
    """A report that the machine has to send to ``url``, found in its unpacked files."""

    id: str
    url: str
    key: str = field(repr=False)


@dataclass(slots=True)
class Deployment:
    id: str
    user_data: str = field(repr=False)
    phase: Phase = Phase.DEPLOYING
    installed: bool = False
    detail: str = "waiting for the machine to start"
    meta_data: Mapping[str, Any] = field(default_factory=dict)
    owed: list[BootAction] = field(default_factory=list, repr=False)


@dataclass(slots=True)
class BootOverride:
    """The BMC's boot override, in Redfish's terms."""

    target: str = "None"
    enabled: str = "Disabled"
    mode: str = "UEFI"

    def take(self) -> str:
        """The device for this start; consumes an override that is valid once."""
        if self.enabled == "Disabled":
            return "None"
        target = self.target
        if self.enabled == "Once":
            self.target, self.enabled = "None", "Disabled"
        return target


class Machine:
    """All attributes are read and changed under ``lock``. ``epoch`` grows with each power change: jobs scheduled in
    an older epoch do not run."""

    def __init__(self, name: str, directory: pathlib.Path, faults: Iterable[str] = ()) -> None:
        self.name = name
        self.directory = directory
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        self.macs = tuple(_mac(name, port) for port in range(len(NICS)))
        self.memory_gib = 64
        self.cpus = 16
        self.lock = threading.RLock()
        self.epoch = 0
        self.power = Power.OFF
        self.wanted_power = Power.OFF
        self.boot_override = BootOverride()
        self.state = State.OFF
        self.seen = False
        self.commissioned = False
        self.erasing = False
        self.deployment: Deployment | None = None
        self.settings: dict[str, Any] = {}
        self.last_contact: datetime | None = None
        self.faults = Faults(faults)
        self.fetched: list[dict[str, Any]] = []
        self.reported: list[dict[str, Any]] = []
        self.history: deque[dict[str, str]] = deque(maxlen=HISTORY)
        self.note("created")

    @property
    def serial(self) -> str:
        return self.uuid[:8].upper()

    def facts(self) -> dict[str, Any]:
        """What an inspection finds; JSON-shaped."""
        size = SMALL_DISK_BYTES if Fault.SMALL_DISK in self.faults else DISK_BYTES
        disk = {"name": DISK[0], "serial": f"{self.serial}-0", "size_bytes": size, "bus_address": DISK[1]}
        return {
            "vendor": VENDOR,
            "product": PRODUCT,
            "serial": self.serial,
            "arch": "x86_64",
            "cpu_count": self.cpus,
            "memory_mib": self.memory_gib * 1024,
            "bios_version": BIOS_VERSION,
            "disks": [disk | {"rotational": False}],
            "nics": [
                {"mac": mac, "name": name, "bus_address": bus_address, "speed_mbit": NIC_MBIT}
                for mac, (name, bus_address) in zip(self.macs, NICS, strict=True)
            ],
        }

    def note(self, event: str) -> None:
        self.history.append({"time": datetime.now(UTC).isoformat(), "event": event})

    def enter(self, state: State, event: str) -> None:
        self.state = state
        self.note(event)

    def contact(self) -> None:
        self.last_contact = datetime.now(UTC)

    def view(self) -> dict[str, Any]:
        """The machine for the control endpoint; JSON-shaped. ``user_data`` holds the machine's key."""
        with self.lock:
            return {
                "name": self.name,
                "uuid": self.uuid,
                "power": self.power.value,
                "state": self.state.value,
                "boot_device": {"target": self.boot_override.target, "enabled": self.boot_override.enabled},
                "faults": self.faults.texts(),
                "deployment_id": self.deployment.id if self.deployment else None,
                "user_data": self.deployment.user_data if self.deployment else None,
                "meta_data": dict(self.deployment.meta_data) if self.deployment else None,
                "detail": self.deployment.detail if self.deployment else "",
                "last_contact": self.last_contact.isoformat() if self.last_contact else None,
                "settings": dict(self.settings),
                "fetched": list(self.fetched),
                "reported": list(self.reported),
                "history": list(self.history),
            }


def check_name(name: object) -> str:
    """A machine's name is also its directory's: letters, digits, ``.``, ``_`` and ``-``."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequest("name: must have up to 253 letters, digits, dots, dashes and underscores")
    return name


def _mac(name: str, port: int) -> str:
    digest = hashlib.sha256(f"{name}/{port}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))
