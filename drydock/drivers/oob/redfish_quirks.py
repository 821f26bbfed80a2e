"""What Redfish BMCs do that the standard does not say: one table, by machine, symptom and what the driver does.

docs/reference/drivers.md has it for operators. An entry needs a public source.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    BUSY = "busy"
    """An error with ``sign`` in it means "not yet"."""
    REPEAT_MODE = "repeat mode"
    """Of a vendor with ``sign`` in its name, the boot mode is sent with each boot device."""


@dataclass(frozen=True, slots=True)
class Quirk:
    machine: str
    symptom: str
    source: str
    sign: str
    remedy: Remedy


QUIRKS = (
    Quirk(
        "Dell iDRAC",
        "after one operation it answers the next with an error SYS518",
        "openstack/sushy, sushy/connector.py",
        "SYS518",
        Remedy.BUSY,
    ),
    Quirk(
        "HPE iLO",
        "while the machine starts (POST) it answers 400 InvalidOperationForSystemState",
        "openstack/sushy, sushy/connector.py",
        "InvalidOperationForSystemState",
        Remedy.BUSY,
    ),
    Quirk(
        "any",
        "all its sessions are taken, by others or by a worker that was killed",
        "DMTF DSP8011, Base message registry",
        "SessionLimitExceeded",
        Remedy.BUSY,
    ),
    Quirk(
        "Supermicro",
        "a boot device that is sent without the mode sets the mode back to its default",
        "https://github.com/DMTF/Redfishtool/pull/106",
        "supermicro",
        Remedy.REPEAT_MODE,
    ),
)


def says_busy(error: str) -> bool:
    return any(quirk.sign in error for quirk in QUIRKS if quirk.remedy is Remedy.BUSY)


def repeats_mode(vendor: str | None) -> bool:
    name = (vendor or "").lower()
    return any(quirk.sign in name for quirk in QUIRKS if quirk.remedy is Remedy.REPEAT_MODE)
