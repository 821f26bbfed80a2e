"""The driver of Acme's BMCs. A connection for each request: one line of JSON asks, one line answers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any, Self

from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.progress import Progress, pending, succeeded
from drydock.errors import ConfigurationError, DriverBusy, DriverRefused, DriverUnavailable
from drydock.model.hardware_facts import HardwareFacts, NicFacts

MADE: list[Acme] = []
LONGEST_ANSWER = 64 * 1024


class Acme:
    name = "acme"
    capabilities = OobCapabilities(
        boot_devices=frozenset({BootDevice.NETWORK, BootDevice.DISK}), boot_modes=frozenset(), by_hand=False
    )

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(options)
        MADE.append(self)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        if not options["password"]:
            raise ConfigurationError("[acme] password: is not set")
        return cls(options)

    def power_state(self, bmc: BmcAccess) -> PowerState:
        return PowerState(self._ask(bmc, "power_state", {"get": "power"}))

    def power_on(self, bmc: BmcAccess) -> Progress:
        return self._switched(bmc, "power_on", PowerState.ON)

    def power_off(self, bmc: BmcAccess) -> Progress:
        return self._switched(bmc, "power_off", PowerState.OFF)

    def _switched(self, bmc: BmcAccess, verb: str, wanted: PowerState) -> Progress:
        if self._ask(bmc, verb, {"get": "power"}) == wanted:
            return succeeded()
        self._ask(bmc, verb, {"set": "power", "to": wanted})
        return pending(f"waiting for the BMC to switch the power {wanted}", look_in=0.1)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        self._ask(bmc, "set_boot_device", {"set": "boot", "to": device})
        return succeeded()

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        found = self._ask(bmc, "facts", {"get": "facts"})
        return HardwareFacts(serial=found["serial"], nics=tuple(NicFacts(mac=mac.lower()) for mac in found["macs"]))

    def _ask(self, bmc: BmcAccess, verb: str, request: Mapping[str, str]) -> Any:
        """Raises what the protocol of drivers says, with the node, the verb and no credential."""
        asked = {**request, "machine": bmc.node, "account": bmc.account, "password": bmc.credential}
        try:
            answer = json.loads(self._exchanged(bmc, json.dumps(asked).encode() + b"\n"))
        except TimeoutError as exc:
            raise DriverUnavailable(f"{bmc.node}: {verb}: the BMC did not answer in time") from exc
        except (OSError, ValueError) as exc:
            raise DriverUnavailable(f"{bmc.node}: {verb}: the BMC cannot be reached or understood") from exc
        match answer.get("error"):
            case None:
                return answer["is"]
            case "busy":
                raise DriverBusy(f"{bmc.node}: {verb}: the BMC is at work on something else")
            case "password":
                raise DriverRefused(f"{bmc.node}: {verb}: the BMC does not accept the account's credentials")
            case _:
                raise DriverRefused(f"{bmc.node}: {verb}: the BMC has no such machine")

    def _exchanged(self, bmc: BmcAccess, request: bytes) -> bytes:
        ends = time.monotonic() + self.options["timeout"]
        host, _, port = (bmc.address or "").rpartition(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=self.options["timeout"]) as connection:
            connection.sendall(request)
            while not received.endswith(b"\n") and len(received) < LONGEST_ANSWER:
                connection.settimeout(max(ends - time.monotonic(), 0.001))
                part = connection.recv(LONGEST_ANSWER)
                if not part:
                    raise ConnectionError("the connection ended")
                received += part
                if time.monotonic() > ends:
                    raise TimeoutError
        return received
