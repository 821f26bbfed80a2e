"""A domain's XML and states as ours: power, boot order until the next start, facts. Pure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from xml.etree import ElementTree as Xml

from drydock.drivers.oob.base import BootDevice, PowerState
from drydock.errors import DriverRefused
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts

STATES: Mapping[int, PowerState] = MappingProxyType(
    {
        1: PowerState.ON,
        2: PowerState.ON,
        3: PowerState.ON,
        4: PowerState.ON,
        5: PowerState.OFF,
        6: PowerState.OFF,
        7: PowerState.ON,
    }
)
"""virDomainState: running, blocked, paused, being shut down; shut off (also saved), crashed; suspended by the guest."""

BOOT_NAMES: Mapping[BootDevice, str] = MappingProxyType(
    {BootDevice.NETWORK: "network", BootDevice.VIRTUAL_CD: "cdrom", BootDevice.DISK: "hd"}
)
PATHS: Mapping[BootDevice, str] = MappingProxyType(
    {
        BootDevice.NETWORK: "devices/interface",
        BootDevice.VIRTUAL_CD: "devices/disk[@device='cdrom']",
        BootDevice.DISK: "devices/disk[@device='disk']",
    }
)
NAMESPACE = "urn:drydock:next-start"
NOTE = f"{{{NAMESPACE}}}next-start"
"""In the domain's metadata: how it boots otherwise, and which request this is for."""

UNITS: Mapping[str, int] = MappingProxyType({"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "b": 1, "bytes": 1})


def boots_next(xml: str) -> tuple[str, str] | None:
    """The device that the next start is from, and the identity of the request; None if nothing was requested."""
    root = Xml.fromstring(xml)  # noqa: S314 (of the hypervisor, which runs our machines)
    note, first = root.find(f"metadata/{NOTE}"), root.find("os/boot")
    if note is None or first is None:
        return None
    return first.get("dev", ""), json.loads(note.text or "{}").get("id", "")


def with_next(xml: str, device: BootDevice) -> str:
    """The XML with ``device`` first, and a note of what was. Raises ``DriverRefused`` if it has no such device."""
    root = Xml.fromstring(xml)  # noqa: S314
    if root.find(PATHS[device]) is None:
        raise DriverRefused(f"the domain has no device to boot from {BOOT_NAMES[device]}")
    _restore(root)
    system, devices = _part(root, "os"), _part(root, "devices")
    names = [boot.get("dev", "") for boot in system.findall("boot")]
    orders = {_key(each): boot.get("order", "") for each in devices if (boot := each.find("boot")) is not None}
    for parent in (system, *devices):
        for boot in parent.findall("boot"):
            parent.remove(boot)
    wanted = BOOT_NAMES[device]
    for name in (wanted, *(name for name in names if name != wanted)):
        Xml.SubElement(system, "boot", dev=name)
    note = Xml.SubElement(_part(root, "metadata"), NOTE)
    note.text = json.dumps({"id": uuid.uuid4().hex, "names": names, "orders": orders})
    return Xml.tostring(root, encoding="unicode")


def without_next(xml: str) -> str:
    """The XML as it was before ``with_next``."""
    root = Xml.fromstring(xml)  # noqa: S314
    _restore(root)
    return Xml.tostring(root, encoding="unicode")


def _restore(root: Xml.Element) -> None:
    metadata = root.find("metadata")
    note = None if metadata is None else metadata.find(NOTE)
    if metadata is None or note is None:
        return
    kept, system = json.loads(note.text or "{}"), _part(root, "os")
    metadata.remove(note)
    for boot in system.findall("boot"):
        system.remove(boot)
    for name in kept.get("names", ()):
        Xml.SubElement(system, "boot", dev=name)
    for each in _part(root, "devices"):
        order = kept.get("orders", {}).get(_key(each))
        if order:
            Xml.SubElement(each, "boot", order=order)


def _key(device: Xml.Element) -> str:
    target, mac = device.find("target"), device.find("mac")
    name = mac.get("address", "") if mac is not None else target.get("dev", "") if target is not None else ""
    return f"{device.tag} {name}"


def _part(root: Xml.Element, name: str) -> Xml.Element:
    found = root.find(name)
    return Xml.SubElement(root, name) if found is None else found


def facts(xml: str, sizes: Mapping[str, int]) -> HardwareFacts:
    """``sizes``: of the disks in bytes, by target, where known."""
    root = Xml.fromstring(xml)  # noqa: S314
    memory, kind = root.find("memory"), root.find("os/type")
    unit = 1024 if memory is None else UNITS.get(memory.get("unit", "KiB"), 1024)
    system = {entry.get("name"): entry.text for entry in root.findall("sysinfo/system/entry")}
    return HardwareFacts(
        vendor=system.get("manufacturer"),
        product=system.get("product"),
        serial=system.get("serial") or root.findtext("uuid"),
        arch=None if kind is None else kind.get("arch"),
        cpu_count=int(root.findtext("vcpu") or 0) or None,
        memory_mib=None if memory is None else int(memory.text or 0) * unit // 1024**2,
        disks=tuple(
            DiskFacts(serial=disk.findtext("serial"), size_bytes=sizes.get(target(disk)))
            for disk in root.findall(PATHS[BootDevice.DISK])
        ),
        nics=tuple(
            NicFacts(mac=mac.get("address", "").lower())
            for mac in root.findall("devices/interface/mac")
            if mac.get("address")
        ),
    )


def disk_targets(xml: str) -> list[str]:
    root = Xml.fromstring(xml)  # noqa: S314
    return [target(disk) for disk in root.findall(PATHS[BootDevice.DISK])]


def target(disk: Xml.Element) -> str:
    found = disk.find("target")
    return "" if found is None else found.get("dev", "")
