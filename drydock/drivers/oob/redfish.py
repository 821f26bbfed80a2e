"""BMCs over Redfish: the verbs. Connections are in ``redfish_connector``, names and errors in ``redfish_mapping``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import sushy

from drydock.drivers.oob import redfish_mapping as mapping
from drydock.drivers.oob.base import Bmc, BootDevice, PowerState
from drydock.drivers.oob.redfish_connector import RedfishConnector, RedfishOptions


class RedfishDriver:
    """One for all nodes, from any thread; the requests to one BMC go one after the other."""

    name = "redfish"

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

    def power_state(self, bmc: Bmc) -> PowerState:
        with self._connector.system(bmc, "power_state") as system:
            return mapping.power_state(system)

    def power_on(self, bmc: Bmc) -> None:
        with self._connector.system(bmc, "power_on") as system:
            if not mapping.is_on_or_starting(system):
                system.reset_system(mapping.reset_type(system, mapping.POWER_ON))

    def power_off(self, bmc: Bmc) -> None:
        with self._connector.system(bmc, "power_off") as system:
            if not mapping.is_off_or_stopping(system):
                system.reset_system(mapping.reset_type(system, mapping.POWER_OFF))

    def power_cycle(self, bmc: Bmc) -> None:
        with self._connector.system(bmc, "power_cycle") as system:
            off = mapping.power_state(system) is PowerState.OFF
            system.reset_system(mapping.reset_type(system, mapping.POWER_ON if off else mapping.POWER_CYCLE))

    def set_boot_device(self, bmc: Bmc, device: BootDevice, *, persistent: bool = False) -> None:
        with self._connector.system(bmc, "set_boot_device") as system:
            target = mapping.BOOT_TARGETS[device]
            enabled = sushy.BOOT_SOURCE_ENABLED_CONTINUOUS if persistent else sushy.BOOT_SOURCE_ENABLED_ONCE
            if (system.boot.target, system.boot.enabled) != (target, enabled):
                system.set_system_boot_options(target=target, enabled=enabled)

    def interrogate(self, bmc: Bmc) -> Mapping[str, Any]:
        """Keys: ``manufacturer``, ``model``, ``serial_number``, ``memory_gib``, ``cpu_count``, ``macs`` (list).

        None where the BMC does not say.
        """
        with self._connector.system(bmc, "interrogate") as system:
            return mapping.inventory(system)
