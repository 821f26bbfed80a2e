"""What a design says of a site and its nodes, as node provisioners take it: typed, frozen, made in ``design``.

None stands for what the design does not say. Only ``document`` turns these records into JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from enum import StrEnum
from typing import Any

from drydock.drivers.oob.base import BmcAccess, BootMode

# -- networks


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """``destination``: a CIDR."""

    destination: str
    gateway: str | None
    metric: int | None


class AddressKind(StrEnum):
    """``none``: the interface is brought up on the network without an address."""

    STATIC = "static"
    DHCP = "dhcp"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """``address`` is set for ``static`` only."""

    kind: AddressKind
    address: str | None


@dataclass(frozen=True, slots=True)
class AttachedNetwork:
    """A network as one interface carries it.

    ``tag``: the 802.1q tag of its frames there, None if they are untagged: then the addresses belong to the interface,
    otherwise to a VLAN interface above it. Two networks of one tag share it (IPv4 and IPv6). ``vlan`` is the network's
    own VLAN, tagged here or not. ``configured``: false if the design wants the network left alone.
    """

    name: str
    cidr: str
    vlan: int | None
    tag: int | None
    mtu: int | None
    configured: bool
    addresses: tuple[AddressPlan, ...]
    routes: tuple[RoutePlan, ...]
    dns_servers: tuple[str, ...]
    dns_domain: str


@dataclass(frozen=True, slots=True)
class BondPlan:
    """``mode`` and ``hash`` as Linux names them; ``peer_rate``: ``fast`` or ``slow``; the others in milliseconds."""

    mode: str
    hash: str | None
    peer_rate: str | None
    mon_rate: int | None
    up_delay: int | None
    down_delay: int | None


@dataclass(frozen=True, slots=True)
class DeviceSelector:
    """A device of the machine, by its place on a bus (``pci``, ``scsi``), else by the kernel's name for it.

    ``name``: the design's alias for what is at ``address``, which may be ``regexp:`` and a regular expression; the
    kernel's name if ``address`` is None. ``model``: what the design says the device is.
    """

    name: str
    bus_type: str | None
    address: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class SrIovPlan:
    vf_count: int
    trusted: bool


@dataclass(frozen=True, slots=True)
class InterfacePlan:
    """``ports``: the NICs that it is made of; one, or the members of ``bond``. ``link``: by its name in the site.

    ``configured``: false if the design wants the interface left alone.
    """

    name: str
    link: str | None
    configured: bool
    ports: tuple[DeviceSelector, ...]
    bond: BondPlan | None
    mtu: int | None
    sriov: SrIovPlan | None
    networks: tuple[AttachedNetwork, ...]


# -- disks


@dataclass(frozen=True, slots=True)
class SizePlan:
    """``text`` as written in the design, and what it means: ``bytes``, or ``percent`` of the disk or volume group.

    ``at_least``: this, and what is left over. Neither bytes nor percent: the design's text is not understood here.
    """

    text: str
    bytes: int | None
    percent: int | None
    at_least: bool


@dataclass(frozen=True, slots=True)
class FileSystemPlan:
    mountpoint: str | None
    fstype: str
    mount_options: str
    uuid: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class PartitionPlan:
    """``volume_group``: it is a physical volume of that."""

    name: str
    size: SizePlan | None
    uuid: str | None
    volume_group: str | None
    bootable: bool
    labels: Mapping[str, str]
    filesystem: FileSystemPlan | None


@dataclass(frozen=True, slots=True)
class DiskPlan:
    """Either a physical volume of ``volume_group`` or divided into ``partitions``."""

    device: DeviceSelector
    volume_group: str | None
    labels: Mapping[str, str]
    partitions: tuple[PartitionPlan, ...]


@dataclass(frozen=True, slots=True)
class LogicalVolumePlan:
    name: str
    size: SizePlan | None
    uuid: str | None
    filesystem: FileSystemPlan | None


@dataclass(frozen=True, slots=True)
class VolumeGroupPlan:
    name: str
    uuid: str | None
    volumes: tuple[LogicalVolumePlan, ...]


@dataclass(frozen=True, slots=True)
class StoragePlan:
    disks: tuple[DiskPlan, ...]
    volume_groups: tuple[VolumeGroupPlan, ...]


# -- the node and its deployment


@dataclass(frozen=True, slots=True)
class HardwareHints:
    """What the hardware profile says of the machine.

    ``pxe_interface``: the number of a NIC, as text. ``boot_disk``: what the installed system boots from.
    """

    vendor: str | None
    generation: str | None
    hw_version: str | None
    bios_version: str | None
    boot_mode: BootMode | None
    bootstrap_protocol: str | None
    pxe_interface: str | None
    boot_disk: DeviceSelector | None


@dataclass(frozen=True, slots=True)
class ProvisionedNode:
    """A node whole. ``kernel_params`` is the finished command line. ``bmc``: None without an out-of-band type."""

    name: str
    domain: str
    boot_mac: str | None
    image: str | None
    kernel: str | None
    kernel_params: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    hardware: HardwareHints
    interfaces: tuple[InterfacePlan, ...]
    storage: StoragePlan
    bmc: BmcAccess | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class MetaData:
    """What cloud-init reads beside user-data. ``hostname``: fully qualified. ``labels``: the node's, for templates."""

    instance_id: str
    hostname: str
    public_keys: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One installation of one node. Giving the same ``id`` twice starts nothing twice. ``user_data`` holds a key."""

    id: str
    node: ProvisionedNode
    user_data: str = field(repr=False)
    meta_data: MetaData


# -- the site


@dataclass(frozen=True, slots=True)
class RangePlan:
    """``kind``: ``static``, ``dhcp``, ``reserved``, or what else the design says."""

    kind: str | None
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class DhcpRelayPlan:
    self_ip: str | None
    upstream_target: str | None


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """``configured``: false if the design wants the network left alone (its label ``noconfig``)."""

    name: str
    cidr: str
    vlan: int | None
    mtu: int | None
    configured: bool
    routedomain: str | None
    gateway: str | None
    dns_domain: str
    dns_servers: tuple[str, ...]
    ranges: tuple[RangePlan, ...]
    routes: tuple[RoutePlan, ...]
    dhcp_relay: DhcpRelayPlan | None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """``networks``: all it may carry; ``native_network`` untagged, the others tagged if it is a ``trunk``."""

    name: str
    mtu: int
    configured: bool
    trunk: bool
    native_network: str | None
    networks: tuple[str, ...]
    bond: BondPlan | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TagPlan:
    """A tag of the machines that ``definition`` matches; ``kind``: the language of it, such as ``lshw_xpath``."""

    name: str
    kind: str
    definition: str


@dataclass(frozen=True, slots=True)
class RepositoryPlan:
    """``kind``: ``apt``. None for a list: the provisioner's own choice."""

    name: str
    url: str | None
    kind: str | None
    gpgkey: str | None
    distributions: tuple[str, ...] | None
    subrepos: tuple[str, ...] | None
    components: tuple[str, ...] | None
    arches: tuple[str, ...]
    options: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class ProvisionedSite:
    """What all nodes share. ``repositories`` is None if the design leaves them alone."""

    networks: tuple[NetworkPlan, ...]
    links: tuple[LinkPlan, ...]
    tags: tuple[TagPlan, ...]
    repositories: tuple[RepositoryPlan, ...] | None
    remove_unlisted: bool
    authorized_keys: tuple[str, ...]


#: Enumerations are text too.
_PLAIN = (str, int, float)


def document(record: Any) -> Any:
    """A record as JSON; members that are None are left out. Not for what holds a ``BmcAccess``: that is a secret."""
    if isinstance(record, _PLAIN):
        return record
    if isinstance(record, tuple):
        return [document(member) for member in record]
    if isinstance(record, BmcAccess):
        raise TypeError("BMC access is not for documents")
    if not is_dataclass(record):
        return dict(record)
    members = record.__dataclass_fields__
    return {name: document(value) for name in members if (value := getattr(record, name)) is not None}
