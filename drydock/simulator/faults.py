"""Faults of simulated machines, each written ``name`` or ``name:COUNT``.

A BMC fault with a count ends after that number of requests; without one it stays until it is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from drydock.simulator.errors import BadRequest


class Fault(StrEnum):
    NEVER_RETURNS = "never_returns"
    INSTALL_FAILS = "install_fails"
    ACTION_FAILS = "action_fails"
    REPORTS_TWICE = "reports_twice"
    GOES_SILENT = "goes_silent"
    IMPATIENT = "impatient"
    SMALL_DISK = "small_disk"
    BMC_HANGS = "bmc_hangs"
    BMC_REFUSES = "bmc_refuses"
    BMC_UNAVAILABLE = "bmc_unavailable"


MEANING: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.NEVER_RETURNS: "installs, restarts, and makes no further contact",
        Fault.INSTALL_FAILS: "the installation fails before anything is fetched",
        Fault.ACTION_FAILS: "every boot action reports a failure",
        Fault.REPORTS_TWICE: "the final status of each boot action is posted twice",
        Fault.GOES_SILENT: "stops after the first progress message of its first boot action",
        Fault.IMPATIENT: "tries each tarball once, as old installers of upstream Drydock do, instead of retrying",
        Fault.SMALL_DISK: "an inspection finds a disk of 8 GB",
        Fault.BMC_HANGS: "the BMC accepts requests and does not answer",
        Fault.BMC_REFUSES: "the BMC resets connections",
        Fault.BMC_UNAVAILABLE: "the BMC answers 503",
    }
)

BMC_FAULTS = (Fault.BMC_HANGS, Fault.BMC_REFUSES, Fault.BMC_UNAVAILABLE)


class Faults:
    """The faults of one machine. Not locked: its machine is."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._left: dict[Fault, int | None] = dict(map(parse_fault, texts))

    def __contains__(self, fault: Fault) -> bool:
        return fault in self._left

    def take_bmc_fault(self) -> Fault | None:
        """The BMC fault for the next request; decrements its count."""
        for fault in BMC_FAULTS:
            if fault in self._left:
                left = self._left[fault]
                if left == 1:
                    del self._left[fault]
                elif left is not None:
                    self._left[fault] = left - 1
                return fault
        return None

    def texts(self) -> list[str]:
        return [fault.value if left is None else f"{fault.value}:{left}" for fault, left in self._left.items()]


def parse_fault(text: str) -> tuple[Fault, int | None]:
    """``bmc_hangs:3`` becomes the fault and its count.

    Raises ``BadRequest``.
    """
    name, colon, count = text.partition(":")
    try:
        fault = Fault(name)
    except ValueError:
        raise BadRequest(f"unknown fault {name!r}; use one of {', '.join(Fault)}") from None
    if not colon:
        return fault, None
    if fault not in BMC_FAULTS:
        raise BadRequest(f"fault {name} takes no count")
    if not (count.isascii() and count.isdigit() and 0 < int(count) <= 1_000_000):
        raise BadRequest(f"fault {name}: the count must be a whole number between 1 and 1000000")
    return fault, int(count)
