"""DD2004 (Storage Mountpoint): mount points are unique."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding
from drydock.design.rules.layouts import Complaint, Layout, per_node
from drydock.model.site import SiteDesign

#: Values of fstab's mount point field for swap.
_NOWHERE = frozenset({"none", "swap", ""})


class StorageMountpoint:
    code: ClassVar[str] = "DD2004"
    name: ClassVar[str] = "storage-mountpoint"
    long_name: ClassVar[str] = "Storage Mountpoint"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        return per_node(site, _check)


def _check(layout: Layout) -> Iterator[Complaint]:
    seen: set[str] = set()
    for filesystem in layout.filesystems():
        mountpoint = filesystem.mountpoint
        if mountpoint is None or mountpoint in _NOWHERE:
            continue
        if mountpoint in seen:
            yield Complaint(f'Mountpoint "{mountpoint:.200}" already exists')
        seen.add(mountpoint)
