"""IPMI's bytes and ours: chassis status, boot flags, errors, inventory. Pure. Numbers are of IPMI 2.0, revision 1.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from drydock.drivers.oob.base import BootDevice, BootMode, PowerState
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.model.hardware_facts import HardwareFacts

CHASSIS, APPLICATION, STORAGE = 0x00, 0x06, 0x0A
CHASSIS_STATUS, CHASSIS_CONTROL, SET_BOOT_OPTIONS, GET_BOOT_OPTIONS = 0x01, 0x02, 0x08, 0x09
DEVICE_ID = 0x01

CONTROL: Mapping[PowerState, int] = MappingProxyType({PowerState.OFF: 0, PowerState.ON: 1})

BOOT_SELECTORS: Mapping[BootDevice, int] = MappingProxyType(
    {BootDevice.NETWORK: 0x04, BootDevice.DISK: 0x08, BootDevice.VIRTUAL_CD: 0x14}
)
"""Boot flags, data 2, bits 5 to 2."""
SELECTOR_BITS = 0x3C
VALID, PERSISTENT, EFI = 0x80, 0x40, 0x20

FLAG_VALID_BIT_CLEARING, BOOT_FLAGS = 3, 5
KEEP_AFTER_60_SECONDS = 0x08
"""NOTE: a BMC forgets boot flags 60 s after they were set if the machine has not started by then; many machines take
longer (racker#36, RackHD on-tasks#493).
"""

BUSY_CODES = frozenset({0xC0, 0xC4, 0xCF, 0xD2, 0xD5})
"""Node busy, out of space, duplicated request, initialization in progress, not in this state."""
PASSING_CODES = frozenset({0xC3, 0xCE, 0xD0, 0xD1, 0xFF, 0xFFFF})

LONGEST_ACCOUNT, LONGEST_CREDENTIAL = 16, 20

NO_PRIVILEGE = "the account may not switch machines: it needs the privilege level OPERATOR"
#: Parts of pyghmi's words for a login that was refused. NOTE: it raises nothing else.
LOGIN_ERRORS: tuple[tuple[str, type[DriverError], str], ...] = (
    ("privilege", DriverRefused, NO_PRIVILEGE),
    ("privelege", DriverRefused, NO_PRIVILEGE),
    ("role", DriverRefused, NO_PRIVILEGE),
    ("password", DriverRefused, "the BMC does not accept the account's credentials"),
    ("Unauthorized", DriverRefused, "the BMC does not accept the account's credentials"),
    ("integrity", DriverRefused, "the BMC does not accept the account's credentials (or it has a key K_G)"),
    ("Insufficient resources", DriverBusy, "the BMC has no session left"),
    ("timeout", DriverUnavailable, "the BMC did not answer in time"),
    ("no longer connected", DriverUnavailable, "the BMC ended the session"),
)


@dataclass(frozen=True, slots=True)
class BootFlags:
    device: BootDevice | None
    once: bool
    efi: bool


def power_state(data: Sequence[int]) -> PowerState:
    return PowerState.ON if data[0] & 1 else PowerState.OFF


def boot_flags(data: Sequence[int]) -> BootFlags:
    """``data``: of the answer, which begins with the version and the parameter."""
    flags, selector = data[2], data[3] & SELECTOR_BITS
    valid = bool(flags & VALID) and not data[1] & 0x80
    device = next((each for each, number in BOOT_SELECTORS.items() if number == selector), None)
    return BootFlags(device if valid else None, not flags & PERSISTENT, bool(flags & EFI))


def efi_wanted(mode: BootMode | None, shown: BootFlags) -> bool:
    return shown.efi if mode is None else mode is BootMode.UEFI


def boot_request(device: BootDevice, *, efi: bool) -> tuple[int, ...]:
    return (BOOT_FLAGS, VALID | (EFI if efi else 0), BOOT_SELECTORS[device], 0, 0, 0)


def refusal(code: int, words: str) -> DriverError:
    """What an answer with another code than 0 means."""
    text = f"the BMC answered 0x{code:02x}: {words}"
    if code in BUSY_CODES:
        return DriverBusy(text)
    return DriverUnavailable(text) if code in PASSING_CODES else DriverRefused(text)


def login_error(words: str) -> DriverError:
    for part, kind, reason in LOGIN_ERRORS:
        if part.lower() in words.lower():
            return kind(reason)
    return DriverUnavailable(f"no session with the BMC: {words:.200}")


def facts(device: Sequence[int], inventory: Mapping[str, Any]) -> HardwareFacts:
    """``device``: of Get Device ID; ``inventory``: of the FRU, in pyghmi's words, empty if there is none."""

    def named(*keys: str) -> str | None:
        found = (inventory.get(key) for key in keys)
        return next((value for value in found if value and isinstance(value, str)), None)

    return HardwareFacts(
        vendor=named("Manufacturer", "Board manufacturer"),
        product=named("Product name", "Board product name"),
        serial=named("Serial Number", "Chassis serial number", "Board serial number"),
        firmware=f"{device[2] & 0x7F}.{device[3] >> 4}{device[3] & 0x0F}",
    )
