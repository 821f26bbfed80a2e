"""Redfish's words and ours: power states, resets, boot devices, facts, options. Pure, but for the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sushy
from sushy import exceptions as sushy_errors

from drydock.drivers.oob.base import BootDevice, BootMode, PowerState
from drydock.errors import ConfigurationError, DriverRefused
from drydock.model.hardware_facts import HardwareFacts, NicFacts

POWER_STATES: Mapping[sushy.PowerState, PowerState] = MappingProxyType(
    {
        sushy.PowerState.ON: PowerState.ON,
        sushy.PowerState.PAUSED: PowerState.ON,
        sushy.PowerState.POWERING_OFF: PowerState.ON,
        sushy.PowerState.OFF: PowerState.OFF,
        sushy.PowerState.POWERING_ON: PowerState.OFF,
    }
)
"""A change that is under way has not happened yet."""

POWER_ON = (sushy.ResetType.ON, sushy.ResetType.FORCE_ON)
POWER_OFF = (sushy.ResetType.FORCE_OFF,)
"""In order of preference: not every BMC offers each."""

BOOT_TARGETS: Mapping[BootDevice, sushy.BootSource] = MappingProxyType(
    {
        BootDevice.NETWORK: sushy.BootSource.PXE,
        BootDevice.UEFI_HTTP: sushy.BootSource.UEFI_HTTP,
        BootDevice.VIRTUAL_CD: sushy.BootSource.CD,
        BootDevice.DISK: sushy.BootSource.HDD,
    }
)

BOOT_MODES: Mapping[BootMode, sushy.BootSourceOverrideMode] = MappingProxyType(
    {BootMode.BIOS: sushy.BootSourceOverrideMode.LEGACY, BootMode.UEFI: sushy.BootSourceOverrideMode.UEFI}
)

OPTIONS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {"endpoint": str, "system": str, "verify_tls": bool, "timeout": (int, float)}
)


def known_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are, if the driver knows them and they are of the right type. None means the default.

    Raises ``ConfigurationError``.
    """
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigurationError(f"redfish: there is no option {name!r}; there are {', '.join(OPTIONS)}")
        if value is not None and not isinstance(value, OPTIONS[name]):
            raise ConfigurationError(f"redfish: the option {name} cannot be a {type(value).__name__}")
    return {name: value for name, value in options.items() if value is not None}


def power_state(system: Any) -> PowerState:
    return POWER_STATES.get(system.power_state, PowerState.UNKNOWN)


def is_under_way(system: Any, wanted: PowerState) -> bool:
    changing = sushy.PowerState.POWERING_ON if wanted is PowerState.ON else sushy.PowerState.POWERING_OFF
    return bool(system.power_state == changing)


def other_mode(system: Any, mode: BootMode | None) -> sushy.BootSourceOverrideMode | None:
    """The mode to ask for, None if the machine is in it or does not say which one it is in."""
    if mode is None or system.boot.mode in (None, BOOT_MODES[mode]):
        return None
    return BOOT_MODES[mode]


def reset_type(system: Any, wanted: Sequence[sushy.ResetType]) -> sushy.ResetType:
    allowed = system.get_allowed_reset_system_values()
    for value in wanted:
        if value in allowed:
            return value
    raise DriverRefused(f"the BMC offers none of {', '.join(value.value for value in wanted)}")


def facts(system: Any) -> HardwareFacts:
    """Asks the BMC for the network interfaces."""
    gib = system.memory_summary.size_gib if system.memory_summary else None
    return HardwareFacts(
        vendor=system.manufacturer,
        product=system.model,
        serial=system.serial_number,
        cpu_count=(system.json.get("ProcessorSummary") or {}).get("Count"),
        memory_mib=None if gib is None else int(gib * 1024),
        bios_version=system.bios_version,
        nics=_nics(system),
    )


def _nics(system: Any) -> tuple[NicFacts, ...] | None:
    try:
        ports = system.ethernet_interfaces.get_members()
    except sushy_errors.MissingAttributeError:
        return None
    return tuple(
        NicFacts(mac=mac.lower(), name=port.identity, speed_mbit=port.speed_mbps)
        for port in ports
        if (mac := port.mac_address or port.permanent_mac_address)
    )
