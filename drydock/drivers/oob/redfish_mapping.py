"""Redfish's words and ours: power states, resets, boot devices, options. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sushy

from drydock.drivers.oob import redfish_quirks as quirks
from drydock.drivers.oob.base import BootDevice, BootMode, PowerState
from drydock.errors import DriverRefused

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

ALSO: Mapping[BootDevice, tuple[sushy.BootSource, ...]] = MappingProxyType(
    {BootDevice.VIRTUAL_CD: (sushy.BootSource.USB_CD,)}
)
"""What sushy sends instead to machines that show virtual media as USB (Supermicro X11, X12)."""

BOOT_MODES: Mapping[BootMode, sushy.BootSourceOverrideMode] = MappingProxyType(
    {BootMode.BIOS: sushy.BootSourceOverrideMode.LEGACY, BootMode.UEFI: sushy.BootSourceOverrideMode.UEFI}
)

OPTIONS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {"endpoint": str, "system": str, "verify_tls": bool, "ca_file": str, "timeout": (int, float)}
)


def power_state(system: Any) -> PowerState:
    return POWER_STATES.get(system.power_state, PowerState.UNKNOWN)


def is_under_way(system: Any, wanted: PowerState) -> bool:
    changing = sushy.PowerState.POWERING_ON if wanted is PowerState.ON else sushy.PowerState.POWERING_OFF
    return bool(system.power_state == changing)


def boots_from(system: Any, device: BootDevice, mode: BootMode | None) -> bool:
    """Whether the BMC shows that the next start is from ``device``, in ``mode``."""
    boot, targets = system.boot, (BOOT_TARGETS[device], *ALSO.get(device, ()))
    in_mode = mode is None or boot.mode in (None, BOOT_MODES[mode])
    return boot.target in targets and boot.enabled == sushy.BOOT_SOURCE_ENABLED_ONCE and in_mode


def mode_to_send(system: Any, mode: BootMode | None) -> sushy.BootSourceOverrideMode | None:
    """None: the machine is in it, or its BMC has no such setting. Some want it with every boot device (quirks)."""
    shown = system.boot.mode
    if shown is None:
        return None
    wanted = shown if mode is None else BOOT_MODES[mode]
    return wanted if wanted != shown or quirks.repeats_mode(system.manufacturer) else None


def reset_type(system: Any, wanted: Sequence[sushy.ResetType]) -> sushy.ResetType:
    allowed = system.get_allowed_reset_system_values()
    for value in wanted:
        if value in allowed:
            return value
    raise DriverRefused(f"the BMC offers none of {', '.join(value.value for value in wanted)}")
