"""Redfish's words and ours: power states, resets, boot devices, inventory, options. Pure, but for the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sushy
from sushy import exceptions as sushy_errors

from drydock.drivers.oob.base import BootDevice, PowerState
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable

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
POWER_CYCLE = (sushy.ResetType.FORCE_RESTART, sushy.ResetType.POWER_CYCLE)
"""In order of preference: not every BMC offers each."""

BOOT_TARGETS: Mapping[BootDevice, sushy.BootSource] = MappingProxyType(
    {
        BootDevice.PXE: sushy.BootSource.PXE,
        BootDevice.DISK: sushy.BootSource.HDD,
        BootDevice.CD: sushy.BootSource.CD,
    }
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
    if system.power_state not in POWER_STATES:
        raise DriverUnavailable("the BMC does not know whether the power is on")
    return POWER_STATES[system.power_state]


def is_on_or_starting(system: Any) -> bool:
    return system.power_state in (sushy.PowerState.ON, sushy.PowerState.POWERING_ON)


def is_off_or_stopping(system: Any) -> bool:
    return system.power_state in (sushy.PowerState.OFF, sushy.PowerState.POWERING_OFF)


def reset_type(system: Any, wanted: Sequence[sushy.ResetType]) -> sushy.ResetType:
    allowed = system.get_allowed_reset_system_values()
    for value in wanted:
        if value in allowed:
            return value
    raise DriverRefused(f"the BMC offers none of {', '.join(value.value for value in wanted)}")


def inventory(system: Any) -> dict[str, Any]:
    """Asks the BMC for the network interfaces."""
    return {
        "manufacturer": system.manufacturer,
        "model": system.model,
        "serial_number": system.serial_number,
        "memory_gib": system.memory_summary.size_gib if system.memory_summary else None,
        "cpu_count": (system.json.get("ProcessorSummary") or {}).get("Count"),
        "macs": _macs(system),
    }


def _macs(system: Any) -> list[str]:
    try:
        interfaces = system.ethernet_interfaces.get_members()
    except sushy_errors.MissingAttributeError:
        return []
    return [mac.lower() for port in interfaces if (mac := port.mac_address or port.permanent_mac_address)]
