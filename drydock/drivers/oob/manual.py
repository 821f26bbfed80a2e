"""Machines without a BMC: a person switches them. The driver says what is to be done, and knows nothing.

A verb stays pending; the operator confirms the task that waits for it, and the step ends without another call.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.driver_values import known_values
from drydock.drivers.progress import Progress, pending
from drydock.errors import DriverRefused
from drydock.model.hardware_facts import HardwareFacts

#: A repeated verb has nothing new to say; a confirmation does not wait for it.
ASK_AGAIN_SECONDS = 60.0

BOOTS: Mapping[BootDevice, str] = MappingProxyType({BootDevice.NETWORK: "from the network"})


class ManualDriver:
    name = "manual"
    capabilities = OobCapabilities(boot_devices=frozenset(BOOTS), boot_modes=frozenset(), by_hand=True)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        known_values("manual", {}, options)
        return cls()

    def power_state(self, bmc: BmcAccess) -> PowerState:
        return PowerState.UNKNOWN

    def power_on(self, bmc: BmcAccess) -> Progress:
        return _asked(f"switch {bmc.node} on")

    def power_off(self, bmc: BmcAccess) -> Progress:
        return _asked(f"switch {bmc.node} off")

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        if device not in BOOTS:
            raise DriverRefused(f"{bmc.node}: set_boot_device: a person is asked for a boot from the network only")
        return _asked(f"have {bmc.node} boot {BOOTS[device]}")

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        return HardwareFacts()


def _asked(what: str) -> Progress:
    return pending(f"{what}, then confirm", look_in=ASK_AGAIN_SECONDS)
