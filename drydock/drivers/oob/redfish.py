"""BMCs over Redfish: the verbs. Connections are in ``redfish_connector``, names and errors in ``redfish_mapping``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import sushy

from drydock.drivers.oob import redfish_facts
from drydock.drivers.oob import redfish_mapping as mapping
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.driver_values import known_values
from drydock.drivers.oob.power_requests import PowerRequests, waits
from drydock.drivers.oob.redfish_connector import RedfishConnector, RedfishOptions
from drydock.drivers.progress import Progress, pending, succeeded
from drydock.model.hardware_facts import HardwareFacts


class RedfishDriver:
    """One for all nodes, from any thread; the requests to one BMC go one after the other."""

    name = "redfish"
    capabilities = OobCapabilities(
        boot_devices=frozenset(mapping.BOOT_TARGETS), boot_modes=frozenset(mapping.BOOT_MODES), by_hand=False
    )

    def __init__(
        self,
        *,
        endpoint: str,
        system: str,
        verify_tls: bool,
        ca_file: str,
        timeout: float,
    ) -> None:
        """``endpoint`` and ``system`` are templates with the fields ``{address}`` and ``{node}``.

        ``system`` is a path, or the identity of a member of ``/redfish/v1/Systems``; empty means the only one of the
        BMC. ``ca_file``: PEM file of the authorities that sign BMCs' certificates. ``timeout``: seconds for each
        request, and for the end of another conversation with the same BMC; one takes four of them at most.

        Raises ``ConfigurationError`` for a template or a number that cannot work.
        """
        options = RedfishOptions(endpoint, system, verify_tls, ca_file, timeout)
        self._connector = RedfishConnector(options)
        self._requests = PowerRequests()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        return cls(**known_values("redfish", mapping.OPTIONS, options))

    def power_state(self, bmc: BmcAccess) -> PowerState:
        with self._connector.system(bmc, "power_state") as system:
            return mapping.power_state(system)

    def power_on(self, bmc: BmcAccess) -> Progress:
        with self._connector.system(bmc, "power_on") as system:
            return self._switched(system, bmc.node, PowerState.ON, mapping.POWER_ON)

    def power_off(self, bmc: BmcAccess) -> Progress:
        with self._connector.system(bmc, "power_off") as system:
            return self._switched(system, bmc.node, PowerState.OFF, mapping.POWER_OFF)

    def _switched(self, system: Any, node: str, wanted: PowerState, resets: Sequence[sushy.ResetType]) -> Progress:
        """Nothing is switched while the BMC does not report the state: the request might be repeated for ever."""
        state = mapping.power_state(system)
        if state is wanted:
            self._requests.was_seen(node)
            return succeeded()
        if state is PowerState.UNKNOWN:
            return pending("the BMC does not know whether the power is on")
        if not mapping.is_under_way(system, wanted) and self._requests.is_due(node, wanted):
            system.reset_system(mapping.reset_type(system, resets))
            self._requests.was_sent(node, wanted)
        return waits(wanted)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        with self._connector.system(bmc, "set_boot_device") as system:
            if not mapping.boots_from(system, device, mode):
                system.set_system_boot_options(
                    target=mapping.BOOT_TARGETS[device],
                    enabled=sushy.BOOT_SOURCE_ENABLED_ONCE,
                    mode=mapping.mode_to_send(system, mode),
                )
        return succeeded()

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        with self._connector.system(bmc, "facts") as system:
            return redfish_facts.facts(system)
