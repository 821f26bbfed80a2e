"""DD1001: every node has a root volume of 20 GB or more, and a boot volume, if it has one, of 1 GB or more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding
from drydock.design.rules.layouts import Complaint, Layout, per_node
from drydock.design.sizes import parse_size
from drydock.model.site import SiteDesign
from drydock.model.storage import LogicalVolume, Partition

ROOT_BYTES = 20 * 10**9
BOOT_BYTES = 10**9


class BootStorage:
    code: ClassVar[str] = "DD1001"
    name: ClassVar[str] = "boot-storage"
    long_name: ClassVar[str] = "Rational Boot Storage"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        return per_node(site, _check)


def _check(layout: Layout) -> Iterator[Complaint]:
    volumes: list[Partition | LogicalVolume] = [part for _, part in layout.partitions()]
    volumes += [volume for _, volume in layout.volumes()]
    root = _named(volumes, "root", "/")
    missing = Complaint("Root volume has to be set and must be > 20GB")
    if root is None:
        yield missing
    else:
        found = list(_size(root, "Root", "20GB", ROOT_BYTES))
        yield from found
        if found and parse_size(root.size or "") is None:
            yield missing
    boot = _named(volumes, "boot", "/boot")
    if boot is not None:
        yield from _size(boot, "Boot", "1GB", BOOT_BYTES)


def _named(volumes: list[Partition | LogicalVolume], name: str, mountpoint: str) -> Partition | LogicalVolume | None:
    """By mount point; else by its name, the only criterion of upstream Drydock."""
    mounted = (item for item in volumes if item.filesystem is not None and item.filesystem.mountpoint == mountpoint)
    return next(mounted, None) or next((item for item in volumes if item.name == name), None)


def _size(volume: Partition | LogicalVolume, title: str, least: str, least_bytes: int) -> Iterator[Complaint]:
    size = parse_size(volume.size or "")
    if size is None:
        yield Complaint(f"{title} volume has an invalid size format", diagnostic="Write sizes like 40g, >40g or 20%.")
    elif size.bytes is not None and size.bytes < least_bytes:
        yield Complaint(f"{title} volume must be > {least}")
