"""Disks and volume groups from a node's or profile's data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drydock.design.kinds.values import frozen, required
from drydock.model.storage import Filesystem, LogicalVolume, Partition, PhysicalDevice, VolumeGroup


def physical_devices(data: Mapping[str, Any]) -> Mapping[str, PhysicalDevice]:
    """By name, from ``storage``. Raises ``DesignInvalid``."""
    found = data.get("physical_devices", {})
    return MappingProxyType({name: _device(name, body) for name, body in found.items() if body is not None})


def volume_groups(data: Mapping[str, Any]) -> Mapping[str, VolumeGroup]:
    """By name, from ``storage``. Raises ``DesignInvalid``."""
    found = data.get("volume_groups", {})
    return MappingProxyType({name: _volume_group(name, body) for name, body in found.items() if body is not None})


def _device(name: str, data: Mapping[str, Any]) -> PhysicalDevice:
    group = data.get("volume_group")
    # As in upstream Drydock, the volume group wins over partitions; the compiler warns.
    partitions = () if group is not None else data.get("partitions", ())
    return PhysicalDevice(
        name=name,
        volume_group=group,
        labels=frozen(data.get("labels")),
        partitions=tuple(_partition(name, item) for item in partitions),
    )


def _partition(device: str, data: Mapping[str, Any]) -> Partition:
    return Partition(
        name=required(data, "name", f"storage.physical_devices.{device}.partitions: "),
        size=data.get("size"),
        part_uuid=data.get("part_uuid"),
        volume_group=data.get("volume_group"),
        bootable=data.get("bootable", False),
        labels=frozen(data.get("labels")),
        filesystem=_filesystem(data),
    )


def _filesystem(data: Mapping[str, Any]) -> Filesystem | None:
    found = data.get("filesystem")
    if found is None:
        return None
    return Filesystem(
        mountpoint=found.get("mountpoint"),
        fstype=found.get("fstype", "ext4"),
        mount_options=found.get("mount_options", "defaults"),
        fs_uuid=found.get("fs_uuid"),
        fs_label=found.get("fs_label"),
    )


def _volume_group(name: str, data: Mapping[str, Any]) -> VolumeGroup:
    where = f"storage.volume_groups.{name}.logical_volumes: "
    volumes = (
        LogicalVolume(required(item, "name", where), item.get("size"), item.get("lv_uuid"), _filesystem(item))
        for item in data.get("logical_volumes", ())
    )
    return VolumeGroup(name, data.get("vg_uuid"), tuple(volumes))
