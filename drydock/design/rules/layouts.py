"""Storage layouts for rules about disks, each checked once: thousands of nodes inherit the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from drydock.design.rules.base import NODE, Finding
from drydock.model.message import Level
from drydock.model.site import SiteDesign
from drydock.model.storage import Filesystem, LogicalVolume, Partition, PhysicalDevice, VolumeGroup


@dataclass(frozen=True, slots=True)
class Layout:
    devices: Mapping[str, PhysicalDevice]
    groups: Mapping[str, VolumeGroup]

    def partitions(self) -> Iterator[tuple[PhysicalDevice, Partition]]:
        for device in self.devices.values():
            for partition in device.partitions:
                yield device, partition

    def volumes(self) -> Iterator[tuple[VolumeGroup, LogicalVolume]]:
        for group in self.groups.values():
            for volume in group.logical_volumes:
                yield group, volume

    def physical_volumes(self) -> Iterator[tuple[str, str]]:
        """Volume group, and the device or partition that is part of it."""
        for device in self.devices.values():
            if device.volume_group is not None:
                yield device.volume_group, device.name
            for partition in device.partitions:
                if partition.volume_group is not None:
                    yield partition.volume_group, f"{device.name}/{partition.name}"

    def filesystems(self) -> Iterator[Filesystem]:
        for _, partition in self.partitions():
            if partition.filesystem is not None:
                yield partition.filesystem
        for _, volume in self.volumes():
            if volume.filesystem is not None:
                yield volume.filesystem


@dataclass(frozen=True, slots=True)
class Complaint:
    """About a layout; ``text`` is followed by the node's name."""

    text: str
    level: Level = Level.ERROR
    diagnostic: str = ""


def per_node(site: SiteDesign, check: Callable[[Layout], Iterable[Complaint]]) -> Iterator[Finding]:
    """A finding per node for each complaint about its layout."""
    known: dict[tuple[int, int], tuple[Complaint, ...]] = {}
    for node in site.nodes.values():
        key = (id(node.physical_devices), id(node.volume_groups))
        complaints = known.get(key)
        if complaints is None:
            complaints = known[key] = tuple(check(Layout(node.physical_devices, node.volume_groups)))
        for complaint in complaints:
            text = f"{complaint.text} on BaremetalNode {NODE}"
            yield Finding(complaint.level, text, diagnostic=complaint.diagnostic, node=node.name)
