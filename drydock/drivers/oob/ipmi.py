"""BMCs over IPMI 2.0 (RMCP+): the verbs. Sessions are in ``ipmi_connector``, bytes and errors in ``ipmi_mapping``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from drydock.drivers.oob import ipmi_mapping as mapping
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.driver_values import known_values
from drydock.drivers.oob.ipmi_connector import Conversation, IpmiConnector, IpmiOptions
from drydock.drivers.oob.power_requests import PowerRequests, waits
from drydock.drivers.progress import Progress, succeeded
from drydock.errors import DriverBusy, DriverRefused
from drydock.model.hardware_facts import HardwareFacts

VALUES: Mapping[str, type | tuple[type, ...]] = {"port": int, "timeout": (int, float)}


class IpmiDriver:
    """One for all nodes, from any thread; the conversations with one BMC go one after the other."""

    name = "ipmi"
    capabilities = OobCapabilities(
        boot_devices=frozenset(mapping.BOOT_SELECTORS), boot_modes=frozenset(BootMode), by_hand=False
    )

    def __init__(self, *, port: int, timeout: float) -> None:
        """``timeout``: seconds for each verb, the login included. Raises ``ConfigurationError``."""
        self._connector = IpmiConnector(IpmiOptions(port, timeout))
        self._requests = PowerRequests()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        return cls(**known_values("ipmi", VALUES, options))

    def power_state(self, bmc: BmcAccess) -> PowerState:
        with self._connector.conversation(bmc, "power_state") as conversation:
            return _power(conversation)

    def power_on(self, bmc: BmcAccess) -> Progress:
        with self._connector.conversation(bmc, "power_on") as conversation:
            return self._switched(conversation, bmc.node, PowerState.ON)

    def power_off(self, bmc: BmcAccess) -> Progress:
        with self._connector.conversation(bmc, "power_off") as conversation:
            return self._switched(conversation, bmc.node, PowerState.OFF)

    def _switched(self, conversation: Conversation, node: str, wanted: PowerState) -> Progress:
        """Power is believed when seen."""
        if _power(conversation) is not wanted:
            if not self._requests.is_due(node, wanted):
                return waits(wanted)
            conversation.ask(mapping.CHASSIS, mapping.CHASSIS_CONTROL, mapping.CONTROL[wanted])
            self._requests.was_sent(node, wanted)
            if _power(conversation) is not wanted:
                return waits(wanted)
        self._requests.was_seen(node)
        return succeeded()

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        with self._connector.conversation(bmc, "set_boot_device") as conversation:
            shown = mapping.boot_flags(
                conversation.ask(mapping.CHASSIS, mapping.GET_BOOT_OPTIONS, mapping.BOOT_FLAGS, 0, 0)
            )
            efi = mapping.efi_wanted(mode, shown)
            if shown != mapping.BootFlags(device, once=True, efi=efi):
                _keep_flags(conversation)
                request = mapping.boot_request(device, efi=efi)
                conversation.ask(mapping.CHASSIS, mapping.SET_BOOT_OPTIONS, *request)
        return succeeded()

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        with self._connector.conversation(bmc, "facts") as conversation:
            device = conversation.ask(mapping.APPLICATION, mapping.DEVICE_ID)
            return mapping.facts(device, conversation.inventory())


def _power(conversation: Conversation) -> PowerState:
    return mapping.power_state(conversation.ask(mapping.CHASSIS, mapping.CHASSIS_STATUS))


def _keep_flags(conversation: Conversation) -> None:
    """NOTE: a BMC that has no such parameter never forgets the flags (go-ipmi#74): go on without."""
    try:
        conversation.ask(
            mapping.CHASSIS, mapping.SET_BOOT_OPTIONS, mapping.FLAG_VALID_BIT_CLEARING, mapping.KEEP_AFTER_60_SECONDS
        )
    except DriverBusy:
        raise
    except DriverRefused:
        return
