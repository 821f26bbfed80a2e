"""What a BMC knows of its machine, as facts. Each collection is asked for; what a BMC does not have is None.

Each member of a collection is a request. A collection for which the conversation has not time enough is not known: of
disks and NICs, some would look as if the others were not there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sushy import exceptions as sushy_errors

from drydock.drivers.oob.redfish_http import ConversationOver
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts

Found = TypeVar("Found")
ABSENT = (sushy_errors.MissingAttributeError, sushy_errors.ResourceNotFoundError, sushy_errors.ServerSideError)
"""NOTE: a BMC that names a collection and fails to show it (sushy-tools' emulator: Storage, 500) has none."""

FORBIDDEN = 403
SPINS = {"HDD": True, "SSD": False}
MOST_DISKS = MOST_NICS = 128
MOST_CONTROLLERS = 32


def facts(system: Any) -> HardwareFacts:
    gib = system.memory_summary.size_gib if system.memory_summary else None
    return HardwareFacts(
        vendor=system.manufacturer,
        product=system.model,
        serial=system.serial_number,
        cpu_count=(system.json.get("ProcessorSummary") or {}).get("Count"),
        memory_mib=None if gib is None else int(gib * 1024),
        bios_version=system.bios_version,
        firmware=_known(lambda: _firmware(system)),
        nics=_known(lambda: _nics(system)),
        disks=_known(lambda: _disks(system)),
    )


def _known(read: Callable[[], Found]) -> Found | None:
    try:
        return read()
    except ABSENT:
        return None
    except sushy_errors.ConnectionError as exc:
        if not isinstance(exc.__context__, ConversationOver):
            raise
        return None
    except sushy_errors.AccessError as exc:
        # What the account may not read is not known; a session that is lost is another matter.
        if exc.status_code != FORBIDDEN:
            raise
        return None


def _firmware(system: Any) -> str | None:
    return next((manager.firmware_version for manager in system.managers if manager.firmware_version), None)


def _disks(system: Any) -> tuple[DiskFacts, ...]:
    controllers = _members(system.storage, MOST_CONTROLLERS)
    drives = (
        controller.get_drive(identity) for controller in controllers for identity in controller.drives_identities or ()
    )
    return tuple(
        DiskFacts(
            serial=drive.serial_number,
            size_bytes=drive.capacity_bytes,
            rotational=SPINS.get(drive.media_type or ""),
        )
        for drive in islice(drives, MOST_DISKS)
    )


def _nics(system: Any) -> tuple[NicFacts, ...]:
    return tuple(
        NicFacts(mac=mac.lower(), name=port.identity, speed_mbit=port.speed_mbps)
        for port in _members(system.ethernet_interfaces, MOST_NICS)
        if (mac := port.mac_address or port.permanent_mac_address)
    )


def _members(collection: Any, most: int) -> Iterator[Any]:
    """Each is read when it is asked for; one that is listed and gone is left out."""
    for identity in collection.members_identities[:most]:
        with contextlib.suppress(sushy_errors.ResourceNotFoundError):
            yield collection.get_member(identity)
