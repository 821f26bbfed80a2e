"""Resolves device aliases of interfaces to device selectors; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from drydock.model.hardware import HardwareProfile
from drydock.model.host_profile import Interface, SlaveSelector


def resolve(interfaces: Mapping[str, Interface], hardware: HardwareProfile) -> Mapping[str, Interface]:
    """The interfaces with ``slave_selectors``: by PCI address, which is stable, else by name."""
    return MappingProxyType(
        {
            name: replace(
                interface, slave_selectors=tuple(_selector(slave, hardware) for slave in interface.hardware_slaves)
            )
            for name, interface in interfaces.items()
        }
    )


def _selector(slave: str, hardware: HardwareProfile) -> SlaveSelector:
    device = hardware.device_aliases.get(slave)
    if device is None or device.bus_type != "pci":
        return SlaveSelector("name", slave)
    return SlaveSelector("address", device.address, device.dev_type)
