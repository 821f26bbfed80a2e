"""A kind of machine: its inventory text, the names of its devices, its CPU sets and huge pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DeviceAlias:
    """A device by its bus address. ``address`` may be ``regexp:<re>``."""

    alias: str
    bus_type: str
    address: str
    dev_type: str | None = None


@dataclass(frozen=True, slots=True)
class HugePages:
    """``size`` as the kernel writes it (``1G``)."""

    name: str
    size: str
    count: int


@dataclass(frozen=True, slots=True)
class HardwareProfile:
    name: str
    vendor: str | None = None
    generation: str | None = None
    hw_version: str | None = None
    bios_version: str | None = None
    boot_mode: str | None = None
    bootstrap_protocol: str | None = None
    pxe_interface: str | None = None
    device_aliases: Mapping[str, DeviceAlias] = field(default_factory=dict)
    cpu_sets: Mapping[str, str] = field(default_factory=dict)
    hugepages: Mapping[str, HugePages] = field(default_factory=dict)
