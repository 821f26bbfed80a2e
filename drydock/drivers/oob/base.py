"""The protocol of out-of-band drivers: one for each way to reach a BMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from drydock.drivers.progress import Progress
from drydock.model.hardware_facts import HardwareFacts


class PowerState(StrEnum):
    """``unknown``: nothing reports it, as where a person switches the machine."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class BootDevice(StrEnum):
    """``network``: PXE, or whatever the firmware's network boot is. ``uefi_http``: the firmware fetches a URL."""

    NETWORK = "network"
    UEFI_HTTP = "uefi_http"
    VIRTUAL_CD = "virtual_cd"
    DISK = "disk"


class BootMode(StrEnum):
    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True)
class BmcAccess:
    """How one node's BMC is reached. ``type``: the out-of-band type of the design (``redfish``).

    ``parameters``: the other ``oob`` keys of the design; like the credential not in repr.
    """

    node: str
    type: str
    address: str | None
    account: str = ""
    credential: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class OobCapabilities:
    """``boot_devices``: what ``set_boot_device`` can choose. ``boot_modes``: which modes it can choose with it; empty:
    the machine stays in the mode it is in. ``by_hand``: a person does what the verbs ask for; they stay pending until
    the operator confirms, and the power state is unknown.
    """

    boot_devices: frozenset[BootDevice]
    boot_modes: frozenset[BootMode]
    by_hand: bool


class OobDriver(Protocol):
    """Every verb may be repeated: a second call finds the work done or under way, and changes nothing.

    Verbs that change something return once the BMC accepted the request, and answer ``pending`` until the effect is
    seen. All raise ``DriverUnavailable`` if the BMC did not answer or answered with a passing fault, ``DriverBusy`` if
    it is at work on something else (not an error: the verb is repeated later), and ``DriverRefused`` if trying again
    cannot help (wrong credentials, no such system, unsupported).
    """

    name: str
    capabilities: OobCapabilities

    def power_state(self, bmc: BmcAccess) -> PowerState: ...

    def power_on(self, bmc: BmcAccess) -> Progress:
        """Succeeded when the machine is seen on."""
        ...

    def power_off(self, bmc: BmcAccess) -> Progress:
        """At once, without asking the operating system. Succeeded when the machine is seen off."""
        ...

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        """For the next start only. ``device`` and ``mode`` are of the capabilities; None: the mode stays."""
        ...

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        """What the BMC knows of its machine."""
        ...
