"""What was found in a machine, by its BMC, by a provisioner's inspection or by the machine itself.

One schema, for every source. None stands for what the source does not know; an empty tuple for none that it sees.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LldpNeighbour:
    """What a switch says of itself on the port that a NIC is plugged into."""

    chassis_id: str | None = None
    system_name: str | None = None
    port_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NicFacts:
    """``mac`` in lower case with colons. ``bus_address`` as the kernel writes it (``0000:01:00.0``)."""

    mac: str
    name: str | None = None
    bus_address: str | None = None
    speed_mbit: int | None = None
    neighbour: LldpNeighbour | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """``name``: of the kernel (``sda``). ``bus_address`` as the kernel writes it (``2:0.0.0``, ``0000:02:00.0``)."""

    name: str | None = None
    serial: str | None = None
    size_bytes: int | None = None
    bus_address: str | None = None
    rotational: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareFacts:
    """``firmware``: of the BMC. ``arch`` as the kernel names it (``x86_64``)."""

    vendor: str | None = None
    product: str | None = None
    serial: str | None = None
    arch: str | None = None
    cpu_count: int | None = None
    memory_mib: int | None = None
    bios_version: str | None = None
    firmware: str | None = None
    disks: tuple[DiskFacts, ...] | None = None
    nics: tuple[NicFacts, ...] | None = None


def facts_document(facts: HardwareFacts) -> dict[str, Any]:
    """JSON-shaped, every member present: the form in which facts are kept as build data."""
    return {field.name: _document(getattr(facts, field.name)) for field in fields(facts)}


def _document(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _document(getattr(value, field.name)) for field in fields(value)}
    return [_document(member) for member in value] if isinstance(value, tuple) else value
