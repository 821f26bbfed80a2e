"""What Drydock asks of a node's BMC, whatever protocol it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class PowerState(StrEnum):
    ON = "on"
    OFF = "off"


class BootDevice(StrEnum):
    PXE = "pxe"
    DISK = "disk"
    CD = "cd"


@dataclass(frozen=True, slots=True)
class Bmc:
    """One node's BMC. ``parameters``: the free ``oob`` keys of the design; like the credential not in repr."""

    node: str
    address: str | None
    account: str = ""
    credential: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


class OobDriver(Protocol):
    """Every verb may be repeated: a second call finds the work done and changes nothing.

    All raise ``DriverUnavailable`` when the BMC did not answer or answered with a passing fault, and
    ``DriverRefused`` when trying again cannot help (wrong credentials, no such system, unsupported).
    Verbs return once the BMC accepted the request; whether it took effect is seen by ``power_state``.
    """

    name: str

    def power_state(self, bmc: Bmc) -> PowerState: ...

    def power_on(self, bmc: Bmc) -> None: ...

    def power_off(self, bmc: Bmc) -> None:
        """At once, without asking the operating system."""
        ...

    def power_cycle(self, bmc: Bmc) -> None:
        """The one verb that acts each time it is called: off and on again, or on if it was off."""
        ...

    def set_boot_device(self, bmc: Bmc, device: BootDevice, *, persistent: bool = False) -> None: ...

    def interrogate(self, bmc: Bmc) -> Mapping[str, Any]:
        """What the BMC knows of its machine: model, serial number, memory in GiB, CPU count, MAC addresses."""
        ...
