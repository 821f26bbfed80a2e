"""The design's disks: the boot disk as a root device hint, the others as vendor data for cloud-init. Pure.

Ironic writes an image to one disk, whole; what cloud-init lays out on the others is one file system on each partition.
It knows sizes in per cent, and no volume groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from drydock.drivers.node.records import DeviceSelector, DiskPlan, PartitionPlan, ProvisionedNode
from drydock.model.bus_addresses import hctl, is_pattern, matches, normal

EFI = "/boot/efi"
OF_THE_IMAGE = frozenset({"/", "/boot", EFI})
"""Mount points that the image brings. Sizes are theirs too: what a design asks for is the least that the disk has."""
DEFAULT_TYPE, DEFAULT_OPTIONS = "ext4", "defaults"
"""Of a file system where the design says none."""


def root_device(node: ProvisionedNode) -> dict[str, str]:
    """Ironic's hints; empty without a boot disk in the design: the agent takes the smallest."""
    disk = node.hardware.boot_disk
    if disk is None or _unclear(disk):
        return {}
    if disk.address is None:
        return {"name": f"s== /dev/{disk.name}"}
    scsi = hctl(disk.address)
    if scsi is not None:
        return {"hctl": f"s== {':'.join(map(str, scsi))}"}
    return {"by_path": f"<in> {normal(disk.address)}"}


def _unclear(disk: DeviceSelector) -> bool:
    return disk.address is not None and is_pattern(disk.address)


class DiskUnknown(Exception):
    """The machine has no disk at the place that the design names, or it is not known where its disks are."""


def device_path(disk: DeviceSelector, inventory: Sequence[Mapping[str, Any]]) -> str:
    """By the bus where inspection found it: names of the kernel may change between two starts.

    ``inventory``: the agent's list of disks. Raises ``DiskUnknown``, with a sentence.
    """
    for row in inventory:
        if row.get("by_path") and _is(disk, row):
            return str(row["by_path"])
    if disk.address is None:
        return f"/dev/{disk.name}"
    raise DiskUnknown(f"no disk is known at {disk.bus_type or 'bus'} {disk.address} ({disk.name})")


def _is(disk: DeviceSelector, row: Mapping[str, Any]) -> bool:
    if disk.address is None:
        return row.get("name") == f"/dev/{disk.name}"
    places = (str(row.get("hctl") or ""), pci_place(str(row["by_path"])))
    return any(place and matches(disk.address, place) for place in places)


def pci_place(by_path: str) -> str:
    """Of a path that udev gives a disk; empty for a disk that is on no PCI bus."""
    return by_path.partition("/pci-")[2].partition("-")[0]


def others(node: ProvisionedNode) -> Sequence[DiskPlan]:
    """The disks that are not the boot disk."""
    boot = node.hardware.boot_disk
    return [disk for disk in node.storage.disks if boot is None or disk.device.name != boot.name]


def unsupported(node: ProvisionedNode) -> Iterator[str]:
    """One sentence for each thing."""
    boot = node.hardware.boot_disk
    if boot is not None and _unclear(boot):
        yield f"the boot disk {boot.name} by a regular expression: root device hints of Ironic have none"
    for group in node.storage.volume_groups:
        yield f"the volume group {group.name}: neither Ironic nor cloud-init makes any; a boot action can"
    for disk in node.storage.disks:
        if boot is not None and disk.device.name == boot.name:
            yield from _beyond_the_image(disk)
        else:
            yield from _beyond_cloud_init(disk)


def _beyond_the_image(disk: DiskPlan) -> Iterator[str]:
    for partition in disk.partitions:
        mountpoint = partition.filesystem.mountpoint if partition.filesystem is not None else None
        if mountpoint not in OF_THE_IMAGE and not partition.bootable:
            yield f"the partition {partition.name} on the boot disk {disk.device.name}: its partitions are the image's"
            continue
        for what in (*_identities(partition), *_of_file_system(partition)):
            yield f"{what} of the partition {partition.name} on the boot disk {disk.device.name}: it is the image's"


def _identities(partition: PartitionPlan) -> Iterator[str]:
    system = partition.filesystem
    if partition.uuid is not None:
        yield f"the UUID {partition.uuid}"
    if system is not None and system.uuid is not None:
        yield f"the file system's UUID {system.uuid}"


def _of_file_system(partition: PartitionPlan) -> Iterator[str]:
    """What is not as the design has it unless it says otherwise. EFI's is always the image's."""
    system = partition.filesystem
    if system is None or system.mountpoint == EFI:
        return
    if system.fstype != DEFAULT_TYPE:
        yield f"the file system {system.fstype}"
    if system.label:
        yield f"the label {system.label}"
    if system.mount_options not in ("", DEFAULT_OPTIONS):
        yield f"the mount options {system.mount_options}"


def _beyond_cloud_init(disk: DiskPlan) -> Iterator[str]:
    if _unclear(disk.device):
        yield f"the disk {disk.device.name} by a regular expression"
    for number, partition in enumerate(disk.partitions):
        for what in _identities(partition):
            yield f"{what} of the partition {partition.name}: cloud-init gives it one of its own"
        if _share(partition, last=number == len(disk.partitions) - 1) is None:
            text = partition.size.text if partition.size is not None else "none"
            yield f"the size {text} of the partition {partition.name}: on further disks they are in per cent"


def _share(partition: PartitionPlan, *, last: bool) -> int | None:
    """Per cent of the disk; 0 for what is left over, which only the last partition can have."""
    size = partition.size
    if size is not None and size.percent is not None and not size.at_least:
        return size.percent
    return 0 if last and (size is None or size.at_least) else None


def vendor_data(node: ProvisionedNode, inventory: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What cloud-init does to the other disks, beside our user-data. Raises ``DiskUnknown``."""
    config: dict[str, Any] = {}
    for number, disk in enumerate(others(node), start=1):
        if disk.partitions:
            _lay_out(config, f"disk{number}", disk, device_path(disk.device, inventory))
    return {"cloud-init": "#cloud-config\n" + yaml.safe_dump(config, sort_keys=True)} if config else {}


def _suffix(device: str) -> str:
    """Between a disk and the number of its partition, as udev and the kernel have it: nvme0n1p1, sda1."""
    if "/by-path/" in device:
        return "-part"
    return "p" if device[-1].isdigit() else ""


def _lay_out(config: dict[str, Any], alias: str, disk: DiskPlan, device: str) -> None:
    """Devices stand under aliases, as cloud-init reads more into a path (``cc_disk_setup``, ``cc_mounts``): a partition
    after a dot, a network's file system with a colon; and a partition of its own is no block device to mounts.

    ``ALIAS.N`` is for mounts alone: a file system there would miss the p of nvme0n1p1.
    """
    aliases = config.setdefault("device_aliases", {})
    aliases[alias] = device
    last = len(disk.partitions) - 1
    shares = [_share(partition, last=number == last) or 0 for number, partition in enumerate(disk.partitions)]
    shares = [share or max(1, 100 - sum(shares)) for share in shares]
    config.setdefault("disk_setup", {})[alias] = {"table_type": "gpt", "layout": shares, "overwrite": False}
    for number, partition in enumerate(disk.partitions, start=1):
        system = partition.filesystem
        if system is None:
            continue
        of_partition = f"{alias}part{number}"
        aliases[of_partition] = f"{device}{_suffix(device)}{number}"
        row = {"device": of_partition, "partition": "none", "filesystem": system.fstype, "overwrite": False}
        config.setdefault("fs_setup", []).append({**row, **({"label": system.label} if system.label else {})})
        if system.mountpoint:
            mount = [f"{alias}.{number}", system.mountpoint, system.fstype, system.mount_options or "defaults"]
            config.setdefault("mounts", []).append(mount)
