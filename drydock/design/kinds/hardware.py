"""Hardware profiles from their documents' data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drydock.design.kinds.values import frozen, required
from drydock.errors import DesignInvalid
from drydock.model.hardware import DeviceAlias, HardwareProfile, HugePages


def hardware_profile(name: str, data: Mapping[str, Any]) -> HardwareProfile:
    """Raises ``DesignInvalid``."""
    pxe_interface = data.get("pxe_interface")
    aliases = {alias: _alias(alias, body) for alias, body in data.get("device_aliases", {}).items()}
    hugepages = {conf: _hugepages(conf, body) for conf, body in data.get("hugepages", {}).items()}
    return HardwareProfile(
        name=name,
        vendor=data.get("vendor"),
        generation=data.get("generation"),
        hw_version=data.get("hw_version"),
        bios_version=data.get("bios_version"),
        boot_mode=data.get("boot_mode"),
        bootstrap_protocol=data.get("bootstrap_protocol"),
        pxe_interface=None if pxe_interface is None else str(pxe_interface),
        device_aliases=MappingProxyType(aliases),
        cpu_sets=frozen(data.get("cpu_sets")),
        hugepages=MappingProxyType(hugepages),
    )


def _alias(alias: str, data: Mapping[str, Any]) -> DeviceAlias:
    where = f"device_aliases.{alias}."
    return DeviceAlias(alias, required(data, "bus_type", where), required(data, "address", where), data.get("dev_type"))


def _hugepages(name: str, data: Mapping[str, Any]) -> HugePages:
    where = f"hugepages.{name}."
    count = str(required(data, "count", where)).strip()
    if not (count.isascii() and count.isdigit() and len(count) < 10):
        raise DesignInvalid(f"{where}count must be a whole number, 0 or more")
    return HugePages(name, required(data, "size", where), int(count))
