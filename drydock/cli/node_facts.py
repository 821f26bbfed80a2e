"""Facts of a machine as lines of text, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
PLAIN = ("vendor", "product", "serial", "arch", "bios_version", "firmware", "cpu_count", "memory_mib")
NOTHING = "-"


def fields_of(facts: Json) -> list[tuple[str, str]]:
    """By name, what is known. Devices have a line each, named by what stays theirs: serial, MAC, or bus address."""
    plain = [(name, str(facts[name])) for name in PLAIN if facts.get(name) is not None]
    disks = [
        (f"disk {_identity(disk, ('serial', 'bus_address', 'name'))}", _disk(disk)) for disk in _all(facts, "disks")
    ]
    nics = [(f"nic {_identity(nic, ('mac',))}", _nic(nic)) for nic in _all(facts, "nics")]
    return [*plain, *disks, *nics]


def changed(before: Json, now: Json) -> Iterator[tuple[str, str, str]]:
    """Name, old and new value of what differs; ``-`` for what is not there."""
    old, new = dict(fields_of(before)), dict(fields_of(now))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield name, old.get(name, NOTHING), new.get(name, NOTHING)


def difference(name: str, old: str, new: str) -> str:
    """One of ``changed``, for a terminal."""
    if new == NOTHING:
        return f"{name} is gone: {old}"
    if old == NOTHING:
        return f"{name} is new: {new}"
    return f"{name}: {old} -> {new}"


def _all(facts: Json, name: str) -> Sequence[Json]:
    return facts.get(name) or ()


def _identity(device: Json, names: Sequence[str]) -> str:
    return next((str(device[name]) for name in names if device.get(name)), "?")


def _disk(disk: Json) -> str:
    size = disk.get("size_bytes")
    rotational = None if disk.get("rotational") is None else "rotational" if disk["rotational"] else "solid state"
    return _words(
        disk.get("name"), disk.get("bus_address"), None if size is None else f"{size / 1e9:.1f} GB", rotational
    )


def _nic(nic: Json) -> str:
    speed, neighbour = nic.get("speed_mbit"), nic.get("neighbour") or {}
    switch = neighbour.get("system_name") or neighbour.get("chassis_id")
    port = f" port {neighbour['port_id']}" if neighbour.get("port_id") else ""
    return _words(
        nic.get("name"),
        nic.get("bus_address"),
        None if speed is None else f"{speed} Mbit/s",
        None if switch is None else f"at {switch}{port}",
    )


def _words(*values: object) -> str:
    return ", ".join(str(value) for value in values if value is not None) or "?"
