"""DD2002 (Storage Partitioning): every disk has one use, and every volume group has a physical volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding
from drydock.design.rules.layouts import Complaint, Layout, per_node
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class StoragePartitioning:
    code: ClassVar[str] = "DD2002"
    name: ClassVar[str] = "storage-partitioning"
    long_name: ClassVar[str] = "Storage Partitioning"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        return per_node(site, _check)


def _check(layout: Layout) -> Iterator[Complaint]:
    for device in layout.devices.values():
        if device.volume_group is None and not device.partitions:
            yield Complaint(f"Either a volume group or partitions must be specified for storage device {device.name}")
    for device, partition in layout.partitions():
        if partition.volume_group is not None and partition.filesystem is not None:
            where = f"partition {partition.name} of {device.name}"
            yield Complaint(f"Both a volume group and a filesystem are specified for {where}")
    assigned = dict(layout.physical_volumes())
    for group in layout.groups:
        if group not in assigned:
            yield Complaint(f"Volume group {group} not assigned any physical volumes")
    for group, holder in assigned.items():
        if group not in layout.groups:
            text = f"{holder} belongs to volume group {group}, which has no logical volumes defined"
            yield Complaint(text, Level.WARNING)
