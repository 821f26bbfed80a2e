"""Compares the facts of a machine with its hardware profile and the node's design; pure.

What is not known is no difference: a BMC reports little, and a driver that works by hand reports nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from drydock.drivers.node.records import DeviceSelector, DiskPlan, ProvisionedNode
from drydock.model.bus_addresses import matches
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts
from drydock.model.site import SiteDesign

_GB = 10**9
Device = TypeVar("Device", DiskFacts, NicFacts)


def differences(node: ProvisionedNode, facts: HardwareFacts, switches: Collection[str]) -> tuple[str, ...]:
    """All of them, for an operator. ``switches``: the names of those the node's rack has; empty: not known."""
    return (
        *_profile(node, facts),
        *(text for disk in node.storage.disks for text in _disk(node, disk, facts.disks)),
        *(text for port in _ports(node) for text in _port(port, facts.nics, switches)),
    )


def switches_of(site: SiteDesign, name: str) -> frozenset[str]:
    """The switches of the node's rack, by the names that the design gives them."""
    node = site.nodes.get(name)
    rack = None if node is None or node.rack is None else site.racks.get(node.rack)
    return frozenset() if rack is None else frozenset(switch.name for switch in rack.tor_switches)


def device_names(node: ProvisionedNode, facts: HardwareFacts) -> Mapping[str, str]:
    """By alias of the hardware profile, the kernel's name of the device at its address, of those that are found."""
    names: dict[str, str] = {}
    found: Sequence[tuple[DeviceSelector, DiskFacts | NicFacts | None]] = [
        *((disk.device, _find(disk.device, facts.disks or ())) for disk in node.storage.disks),
        *((port, _find(port, facts.nics or ())) for port in _ports(node)),
    ]
    for selector, device in found:
        if selector.address is not None and device is not None and device.name is not None:
            names[selector.name] = device.name
    return names


def _profile(node: ProvisionedNode, facts: HardwareFacts) -> Iterator[str]:
    """The generation and the version of the hardware are an operator's own words: no machine reports them."""
    wanted, found = node.hardware.vendor, facts.vendor
    if wanted and found and not _same_vendor(wanted, found):
        yield f"the vendor is {found}, and the hardware profile has {wanted}"
    wanted, found = node.hardware.bios_version, facts.bios_version
    if wanted and found and wanted.strip() != found.strip():
        yield f"the BIOS version is {found}, and the hardware profile has {wanted}"


def _same_vendor(wanted: str, found: str) -> bool:
    """``Dell`` is ``Dell Inc.``, ``HP`` is ``HPE``."""
    one, other = (re.sub(r"[^a-z0-9]", "", text.lower()) for text in (wanted, found))
    return one in other or other in one


# -- disks


def _disk(node: ProvisionedNode, plan: DiskPlan, disks: Sequence[DiskFacts] | None) -> Iterator[str]:
    what = "the boot disk" if plan.device == node.hardware.boot_disk else "disk"
    disk = _find(plan.device, disks or ())
    if disk is None:
        if disks is not None and _all_known(plan.device, disks):
            yield f"{what} {_place(plan.device)} is not there, {_listed(disks)}"
        return
    sizes = [part.size.bytes for part in plan.partitions if part.size is not None and part.size.bytes is not None]
    if disk.size_bytes is not None and sum(sizes) > disk.size_bytes:
        yield (
            f"{what} {_place(plan.device)} has {disk.size_bytes / _GB:.1f} GB, "
            f"and its partitions need {sum(sizes) / _GB:.1f} GB"
        )


# -- NICs


def _ports(node: ProvisionedNode) -> Iterator[DeviceSelector]:
    for interface in node.interfaces:
        if interface.configured:
            yield from interface.ports


def _port(port: DeviceSelector, nics: Sequence[NicFacts] | None, switches: Collection[str]) -> Iterator[str]:
    nic = _find(port, nics or ())
    if nic is None:
        if nics is not None and _all_known(port, nics):
            yield f"NIC {_place(port)} is not there, {_listed(nics)}"
        return
    switch = None if nic.neighbour is None else nic.neighbour.system_name
    if switches and switch and _host(switch) not in {_host(name) for name in switches}:
        there = f"{switch} port {nic.neighbour.port_id}" if nic.neighbour and nic.neighbour.port_id else switch
        yield f"NIC {_place(port)} is plugged into {there}, and the rack has {', '.join(sorted(switches))}"


def _host(name: str) -> str:
    """Some switches say their domain, and some do not."""
    return name.partition(".")[0].lower()


# -- devices


def _find(selector: DeviceSelector, devices: Sequence[Device]) -> Device | None:
    """By its address if the design has one, else by the kernel's name."""
    address = selector.address
    if address is None:
        return next((device for device in devices if device.name == selector.name), None)
    return next((device for device in devices if device.bus_address and matches(address, device.bus_address)), None)


def _all_known(selector: DeviceSelector, devices: Sequence[DiskFacts] | Sequence[NicFacts]) -> bool:
    """Whether one that is not found is certainly not there."""
    if selector.address is None:
        return all(device.name is not None for device in devices)
    return all(device.bus_address is not None for device in devices)


def _place(selector: DeviceSelector) -> str:
    if selector.address is None:
        return selector.name
    return f"{selector.name} ({selector.bus_type or 'bus'} {selector.address})"


def _listed(devices: Sequence[DiskFacts] | Sequence[NicFacts]) -> str:
    """What is there instead, in the order of their names."""
    found = sorted(f"{device.name or '?'} ({device.bus_address or '?'})" for device in devices)
    return f"but {', '.join(found)}" if found else "nor any other"
