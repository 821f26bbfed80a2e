"""BMCs over Redfish: the verbs. Connections are in ``redfish_connector``, names and errors in ``redfish_mapping``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import sushy

from drydock.drivers.oob import redfish_mapping as mapping
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.redfish_connector import RedfishConnector, RedfishOptions
from drydock.drivers.progress import Progress, pending, succeeded
from drydock.model.hardware_facts import HardwareFacts

#: BMCs take seconds to change power; asking more often only loads them.
POWER_POLL_SECONDS = 2.0


class RedfishDriver:
    """One for all nodes, from any thread; the requests to one BMC go one after the other."""

    name = "redfish"
    capabilities = OobCapabilities(
        boot_devices=frozenset(mapping.BOOT_TARGETS), boot_modes=frozenset(mapping.BOOT_MODES), by_hand=False
    )

    def __init__(
        self,
        *,
        endpoint: str = "https://{address}",
        system: str = "",
        verify_tls: bool = True,
        timeout: float = 15.0,
    ) -> None:
        """``endpoint`` and ``system`` are templates with the fields ``{address}`` and ``{node}``.

        ``system`` is a path, or the identity of a member of ``/redfish/v1/Systems``; empty means the only one of the
        BMC. ``timeout``: seconds for each request.

        Raises ``ConfigurationError`` for a template or a number that cannot work.
        """
        options = RedfishOptions(endpoint, system, verify_tls=verify_tls, timeout=timeout)
        self._connector = RedfishConnector(options)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        return cls(**mapping.known_options(options))

    def power_state(self, bmc: BmcAccess) -> PowerState:
        with self._connector.system(bmc, "power_state") as system:
            return mapping.power_state(system)

    def power_on(self, bmc: BmcAccess) -> Progress:
        with self._connector.system(bmc, "power_on") as system:
            return self._switched(system, PowerState.ON, mapping.POWER_ON)

    def power_off(self, bmc: BmcAccess) -> Progress:
        with self._connector.system(bmc, "power_off") as system:
            return self._switched(system, PowerState.OFF, mapping.POWER_OFF)

    @staticmethod
    def _switched(system: Any, wanted: PowerState, resets: Sequence[sushy.ResetType]) -> Progress:
        """Nothing is switched while the BMC does not report the state: the request might be repeated for ever."""
        state = mapping.power_state(system)
        if state is wanted:
            return succeeded()
        if state is PowerState.UNKNOWN:
            return pending("the BMC does not know whether the power is on")
        if not mapping.is_under_way(system, wanted):
            system.reset_system(mapping.reset_type(system, resets))
        return pending(f"waiting for the BMC to switch the power {wanted}", look_in=POWER_POLL_SECONDS)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        with self._connector.system(bmc, "set_boot_device") as system:
            target, enabled = mapping.BOOT_TARGETS[device], sushy.BOOT_SOURCE_ENABLED_ONCE
            wanted = mapping.other_mode(system, mode)
            if wanted is not None or (system.boot.target, system.boot.enabled) != (target, enabled):
                system.set_system_boot_options(target=target, enabled=enabled, mode=wanted)
        return succeeded()

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        with self._connector.system(bmc, "facts") as system:
            return mapping.facts(system)
