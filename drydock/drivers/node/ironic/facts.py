"""Ironic's inventory of a machine as facts. Pure: what an agent or a BMC did not find is None."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from drydock.drivers.node.ironic.disks import pci_place
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, LldpNeighbour, NicFacts

Json = Mapping[str, Any]
PCI_ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)


def hardware_facts(answer: Json) -> HardwareFacts:
    """``answer``: of ``GET nodes/{id}/inventory``."""
    inventory = _mapping(answer.get("inventory"))
    plugins = _mapping(answer.get("plugin_data"))
    vendor = _mapping(inventory.get("system_vendor"))
    firmware = _mapping(vendor.get("firmware"))
    cpu, memory = _mapping(inventory.get("cpu")), _mapping(inventory.get("memory"))
    disks, interfaces = inventory.get("disks"), inventory.get("interfaces")
    return HardwareFacts(
        vendor=_text(vendor.get("manufacturer")),
        product=_text(vendor.get("product_name")),
        serial=_text(vendor.get("serial_number")),
        arch=_text(cpu.get("architecture")),
        cpu_count=_number(cpu.get("count")),
        memory_mib=_number(memory.get("physical_mb")),
        bios_version=_text(firmware.get("version")),
        disks=tuple(_disk(disk) for disk in disks) if isinstance(disks, list) else None,
        nics=_nics(interfaces, _neighbours(plugins)) if isinstance(interfaces, list) else None,
    )


def _disk(disk: Json) -> DiskFacts:
    name = _text(disk.get("name"))
    return DiskFacts(
        name=name.removeprefix("/dev/") if name else None,
        serial=_text(disk.get("serial")),
        size_bytes=_number(disk.get("size")),
        bus_address=_disk_address(disk),
        rotational=disk["rotational"] if isinstance(disk.get("rotational"), bool) else None,
    )


def _disk_address(disk: Json) -> str | None:
    """``2:0:0:0`` of the agent is ``2:0.0.0`` of lshw and of designs; without it the place on the PCI bus."""
    parts = str(disk.get("hctl") or "").split(":")
    if len(parts) == 4:
        return f"{parts[0]}:{'.'.join(parts[1:])}"
    return pci_place(str(disk.get("by_path") or "")) or None


def _nics(interfaces: Sequence[Json], neighbours: Mapping[str, LldpNeighbour]) -> tuple[NicFacts, ...]:
    return tuple(_nic(nic, neighbours) for nic in interfaces if _text(nic.get("mac_address")))


def _nic(nic: Json, neighbours: Mapping[str, LldpNeighbour]) -> NicFacts:
    name = _text(nic.get("name"))
    return NicFacts(
        mac=str(nic["mac_address"]).lower(),
        name=name,
        bus_address=_pci_address(nic.get("pci_address")),
        speed_mbit=_number(nic.get("speed_mbps")),
        neighbour=_raw_neighbour(nic.get("lldp")) or neighbours.get(name or ""),
    )


def _pci_address(value: object) -> str | None:
    """Of a virtual NIC the agent says ``virtio0``, which is its place on no bus that designs name."""
    return value if isinstance(value, str) and PCI_ADDRESS.fullmatch(value) else None


def _neighbours(plugins: Json) -> Mapping[str, LldpNeighbour]:
    """What Ironic's inspection hook ``parse-lldp`` made of the frames, by interface; else the frames as they were."""
    parsed, raw = _mapping(plugins.get("parsed_lldp")), _mapping(plugins.get("lldp_raw"))
    found = {name: _raw_neighbour(frames) for name, frames in raw.items()}
    for name, row in parsed.items():
        row = _mapping(row)
        found[name] = LldpNeighbour(
            chassis_id=_text(row.get("switch_chassis_id")),
            system_name=_text(row.get("switch_system_name")),
            port_id=_text(row.get("switch_port_id")),
        )
    return {name: neighbour for name, neighbour in found.items() if neighbour is not None}


CHASSIS, PORT, SYSTEM_NAME = 1, 2, 5
MAC_OF_CHASSIS, MAC_OF_PORT = 4, 3


def _raw_neighbour(frames: object) -> LldpNeighbour | None:
    """``frames``: pairs of the type and the value, in hexadecimal digits (IEEE 802.1AB)."""
    if not isinstance(frames, list) or not frames:
        return None
    values: dict[int, bytes] = {}
    for frame in frames:
        try:
            kind, text = frame
            values[int(kind)] = bytes.fromhex(text)
        except (TypeError, ValueError):
            continue
    found = LldpNeighbour(
        chassis_id=_identity(values.get(CHASSIS), MAC_OF_CHASSIS),
        system_name=_decoded(values.get(SYSTEM_NAME)),
        port_id=_identity(values.get(PORT), MAC_OF_PORT),
    )
    return None if found == LldpNeighbour() else found


def _identity(value: bytes | None, mac: int) -> str | None:
    """Its first byte says what it is."""
    if not value or len(value) < 2:
        return None
    if value[0] == mac and len(value) == 7:
        return value[1:].hex(":")
    return _decoded(value[1:])


def _decoded(value: bytes | None) -> str | None:
    return value.decode(errors="replace").strip("\0 ") or None if value else None


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return str(value).strip() or None if isinstance(value, str | int) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
