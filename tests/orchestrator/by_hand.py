"""An out-of-band driver whose machines a person switches: it asks for that, and knows nothing."""

from __future__ import annotations

from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.progress import Progress, pending
from drydock.model.hardware_facts import HardwareFacts

ASK_AGAIN_SECONDS = 60.0


class ByHand:
    name = "by-hand"
    capabilities = OobCapabilities(boot_devices=frozenset({BootDevice.NETWORK}), boot_modes=frozenset(), by_hand=True)

    def power_state(self, bmc: BmcAccess) -> PowerState:
        return PowerState.UNKNOWN

    def power_on(self, bmc: BmcAccess) -> Progress:
        return self._asked(f"switch {bmc.node} on, then confirm")

    def power_off(self, bmc: BmcAccess) -> Progress:
        return self._asked(f"switch {bmc.node} off, then confirm")

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        return self._asked(f"have {bmc.node} boot from the network, then confirm")

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        return HardwareFacts()

    @staticmethod
    def _asked(what: str) -> Progress:
        return pending(what, look_in=ASK_AGAIN_SECONDS)
