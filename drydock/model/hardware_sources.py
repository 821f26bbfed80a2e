"""What several finders say of one machine, as one record of facts; and facts read from build data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from drydock.model.build_data import BuildData
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, LldpNeighbour, NicFacts

#: The generator under which a machine sends facts of itself, as its build data.
FROM_NODE = "hardware-facts"
#: Facts of a large server are 20 KB; more than this is something else.
MOST_BYTES = 1 << 16
LONGEST_TEXT = 255
LARGEST_NUMBER = 2**63 - 1
#: Disks, or NICs.
MOST_DEVICES = 512
#: Members that all facts of drivers have, known or not. Other JSON of build data is not taken for facts.
_MARKS = frozenset({"vendor", "bios_version", "disks", "nics"})
_TEXT = ("vendor", "product", "serial", "arch", "bios_version", "firmware")
_NUMBERS = ("cpu_count", "memory_mib")
Device = TypeVar("Device", NicFacts, DiskFacts)


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """Facts with their finder: ``generator`` is the name of a driver, or ``FROM_NODE``."""

    generator: str
    collected: datetime
    task_id: UUID
    facts: HardwareFacts


def found_facts(data: BuildData) -> FoundFacts | None:
    """None if the build data is something else. Never raises: a machine may have sent it."""
    if data.data_format != "application/json" or len(data.data_element) > MOST_BYTES:
        return None
    try:
        document = json.loads(data.data_element)
        if not isinstance(document, dict) or (data.generator != FROM_NODE and not document.keys() >= _MARKS):
            return None
        facts = read_facts(document)
    except (RecursionError, ValueError):
        return None
    return FoundFacts(data.generator, data.collected, data.task_id, facts)


def read_facts(document: Mapping[str, Any]) -> HardwareFacts:
    """The reverse of ``facts_document``; members that it does not know are left out. Raises ``ValueError``.

    A machine may have sent it: texts are cut, what cannot be printed is replaced, and numbers and devices beyond what
    any machine has are left out.
    """
    return HardwareFacts(
        **_each(document, _TEXT, _text),
        **_each(document, _NUMBERS, _number),
        disks=_devices(document, "disks", _disk),
        nics=_devices(document, "nics", _nic),
    )


def merged(found: Sequence[FoundFacts], *, provisioner: str) -> HardwareFacts | None:
    """One record; None without any. What the provisioner found goes before what a BMC says, and that before what the
    machine says of itself: after its installation it runs what others may have changed.

    Which disks and NICs there are is one finder's answer, the one that knows most bus addresses; others only add what
    it does not know of them. A BMC's names of devices are not the kernel's, and are left out.
    """
    if not found:
        return None
    order = {provisioner: 0, FROM_NODE: 2}
    by_rank = sorted(found, key=lambda each: order.get(each.generator, 1))
    facts = [each.facts if each.generator in order else _without_names(each.facts) for each in by_rank]
    plain = {field.name: _first(getattr(each, field.name) for each in facts) for field in fields(HardwareFacts)}
    return replace(
        HardwareFacts(**plain),
        disks=_combined([each.disks for each in facts], lambda disk: disk.serial),
        nics=_combined([each.nics for each in facts], lambda nic: nic.mac),
    )


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _without_names(facts: HardwareFacts) -> HardwareFacts:
    disks = None if facts.disks is None else tuple(replace(disk, name=None) for disk in facts.disks)
    nics = None if facts.nics is None else tuple(replace(nic, name=None) for nic in facts.nics)
    return replace(facts, disks=disks, nics=nics)


def _combined(
    lists: Sequence[tuple[Device, ...] | None], identity: Callable[[Device], str | None]
) -> tuple[Device, ...] | None:
    known = [devices for devices in lists if devices is not None]
    if not known:
        return None
    # Of equal ones the first.
    best = max(known, key=lambda devices: sum(device.bus_address is not None for device in devices))
    more = [device for devices in known if devices is not best for device in devices]
    return tuple(_completed(device, [other for other in more if _same(device, other, identity)]) for device in best)


def _same(one: Device, other: Device, identity: Callable[[Device], str | None]) -> bool:
    return identity(one) is not None and identity(one) == identity(other)


def _completed(device: Device, others: Sequence[Device]) -> Device:
    values = {
        field.name: _first(getattr(each, field.name) for each in (device, *others)) for field in fields(type(device))
    }
    return replace(device, **values)


# -- reading


def _typed(document: Mapping[str, Any], name: str, kind: type) -> Any:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} is not of type {kind.__name__}")
    return value


def _each(document: Mapping[str, Any], names: Sequence[str], read: Callable[[Mapping[str, Any], str], Any]) -> Any:
    return {name: read(document, name) for name in names}


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = _typed(document, name, str)
    if value is None:
        return None
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in value[:LONGEST_TEXT])


def _number(document: Mapping[str, Any], name: str) -> int | None:
    value: int | None = _typed(document, name, int)
    return None if value is None or not 0 <= value <= LARGEST_NUMBER else value


def _devices(document: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], Any]) -> Any:
    listed = _typed(document, name, list)
    if listed is None:
        return None
    if len(listed) > MOST_DEVICES:
        raise ValueError(f"{name} has more than {MOST_DEVICES} items")
    if not all(isinstance(each, dict) for each in listed):
        raise ValueError(f"{name} holds something else than objects")
    return tuple(read(each) for each in listed)


def _disk(document: Mapping[str, Any]) -> DiskFacts:
    return DiskFacts(
        **{name: _text(document, name) for name in ("name", "serial", "bus_address")},
        size_bytes=_number(document, "size_bytes"),
        rotational=_typed(document, "rotational", bool),
    )


def _nic(document: Mapping[str, Any]) -> NicFacts:
    mac = _text(document, "mac")
    if mac is None:
        raise ValueError("a NIC has no mac")
    neighbour = _typed(document, "neighbour", dict)
    return NicFacts(
        mac=mac.lower(),
        **{name: _text(document, name) for name in ("name", "bus_address")},
        speed_mbit=_number(document, "speed_mbit"),
        neighbour=None
        if neighbour is None
        else LldpNeighbour(**{name: _text(neighbour, name) for name in ("chassis_id", "system_name", "port_id")}),
    )
