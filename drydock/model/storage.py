"""How a node's disks are laid out: devices, partitions, volume groups, logical volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Filesystem:
    mountpoint: str | None = None
    fstype: str = "ext4"
    mount_options: str = "defaults"
    fs_uuid: str | None = None
    fs_label: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """``size`` as written in the design (``30g``, ``>100g``, ``20%``); None if not given."""

    name: str
    size: str | None = None
    part_uuid: str | None = None
    volume_group: str | None = None
    bootable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    filesystem: Filesystem | None = None


@dataclass(frozen=True, slots=True)
class PhysicalDevice:
    """A disk, by alias or device name. It is either a physical volume of ``volume_group`` or has ``partitions``."""

    name: str
    volume_group: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True, slots=True)
class LogicalVolume:
    name: str
    size: str | None = None
    lv_uuid: str | None = None
    filesystem: Filesystem | None = None


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    name: str
    vg_uuid: str | None = None
    logical_volumes: tuple[LogicalVolume, ...] = ()
