"""DD2003 (Storage Sizing): sizes are valid, and shares of a disk or volume group add up to 99 % at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding
from drydock.design.rules.layouts import Complaint, Layout, per_node
from drydock.design.sizes import parse_size
from drydock.model.message import Level
from drydock.model.site import SiteDesign
from drydock.model.storage import LogicalVolume, Partition

MOST_PERCENT = 99


class StorageSizing:
    code: ClassVar[str] = "DD2003"
    name: ClassVar[str] = "storage-sizing"
    long_name: ClassVar[str] = "Storage Sizing"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        return per_node(site, _check)


def _check(layout: Layout) -> Iterator[Complaint]:
    for device in layout.devices.values():
        yield from _parts(device.partitions, "partition", f"storage device {device.name}")
    for group in layout.groups.values():
        yield from _parts(group.logical_volumes, "logical volume", f"volume group {group.name}")


def _parts(parts: Iterable[Partition | LogicalVolume], kind: str, where: str) -> Iterator[Complaint]:
    percent = 0
    for part in parts:
        title = f"{kind} {part.name} in {where}"
        if part.size is None:
            yield Complaint(f"No size is given for {title}")
            continue
        size = parse_size(part.size)
        if part.size.strip().lstrip(">").strip().startswith("-"):
            yield Complaint(f"Negative size {part.size} for {title}")
        elif size is None:
            # Only a warning: upstream Drydock does not read most sizes, and a provisioner may accept more forms.
            hint = "Write sizes like 40g, >40g, 40GiB or 20%."
            yield Complaint(f"Size {part.size:.100} of {title} is not understood", Level.WARNING, hint)
        else:
            percent += size.percent or 0
    if percent > MOST_PERCENT:
        text = f"The sizes in per cent add up to {percent}, more than {MOST_PERCENT}, in {where}"
        yield Complaint(text, diagnostic="Let the last one take the rest with a size such as >1g.")
