"""What drivers need of a site and of a node, as the records they take; pure."""

from __future__ import annotations

from types import MappingProxyType

from drydock.design.rules.dhcp_ranges import NOCONFIG
from drydock.design.sizes import parse_size
from drydock.drivers.node.records import (
    AddressKind,
    AddressPlan,
    AttachedNetwork,
    BondPlan,
    DeviceSelector,
    DhcpRelayPlan,
    DiskPlan,
    FileSystemPlan,
    HardwareHints,
    InterfacePlan,
    LinkPlan,
    LogicalVolumePlan,
    MetaData,
    NetworkPlan,
    PartitionPlan,
    ProvisionedNode,
    ProvisionedSite,
    RangePlan,
    RepositoryPlan,
    RoutePlan,
    SizePlan,
    SrIovPlan,
    StoragePlan,
    TagPlan,
    VolumeGroupPlan,
)
from drydock.drivers.oob.base import BmcAccess, BootMode
from drydock.errors import DesignInvalid
from drydock.model.hardware import HardwareProfile
from drydock.model.host_profile import Interface
from drydock.model.network import Bonding, BondMode, Network, NetworkLink, TrunkMode
from drydock.model.node import Node
from drydock.model.site import Region, Repository, SiteDesign
from drydock.model.storage import Filesystem, LogicalVolume, Partition, PhysicalDevice, VolumeGroup

_BMC_FIELDS = ("account", "credential")
BOOT_DRIVE = "bootdrive"


def provisioned_site(site: SiteDesign) -> ProvisionedSite:
    """What all nodes of the site share. Raises ``DesignInvalid``."""
    region = site.region or Region("")
    return ProvisionedSite(
        networks=tuple(_network(network) for network in site.networks.values()),
        links=tuple(_link(link) for link in site.network_links.values()),
        tags=tuple(TagPlan(tag.tag, tag.type, tag.definition) for tag in region.tag_definitions),
        repositories=None
        if region.repositories is None
        else tuple(_repository(repository) for repository in region.repositories),
        remove_unlisted=region.remove_unlisted,
        authorized_keys=region.authorized_keys,
    )


def provisioned_node(site: SiteDesign, name: str) -> ProvisionedNode:
    """The node for its provisioner. Raises ``DesignInvalid``, also if the site has no such node."""
    node = _node(site, name)
    hardware = site.hardware_profiles.get(node.hardware_profile or "") or HardwareProfile("")
    return ProvisionedNode(
        name=node.name,
        domain=node.domain,
        boot_mac=node.boot_mac,
        image=node.image,
        kernel=node.kernel,
        kernel_params=node.kernel_param_string.strip(),
        tags=node.tags,
        labels=node.owner_data,
        hardware=_hints(node, hardware),
        interfaces=tuple(_interface(site, node, interface, hardware) for interface in node.interfaces.values()),
        storage=StoragePlan(
            disks=tuple(_disk(device, hardware) for device in node.physical_devices.values()),
            volume_groups=tuple(_group(group) for group in node.volume_groups.values()),
        ),
        bmc=_access(node),
    )


def bmc_access(site: SiteDesign, name: str) -> BmcAccess | None:
    """The node's BMC, None without an out-of-band type; the address is the node's static one on ``oob.network``.

    Raises ``DesignInvalid`` if the site has no such node.
    """
    return _access(_node(site, name))


def meta_data(site: SiteDesign, name: str, instance_id: str) -> MetaData:
    """Raises ``DesignInvalid`` if the site has no such node."""
    node = _node(site, name)
    keys = site.region.authorized_keys if site.region is not None else ()
    return MetaData(instance_id, node.fqdn, public_keys=keys, labels=node.owner_data)


def _node(site: SiteDesign, name: str) -> Node:
    if name not in site.nodes:
        raise DesignInvalid(f"the design has no node {name:.100}")
    return site.nodes[name]


def _access(node: Node) -> BmcAccess | None:
    if node.oob_type is None:
        return None
    parameters = node.oob_parameters
    return BmcAccess(
        node=node.name,
        type=node.oob_type,
        address=node.static_address(parameters.get("network")),
        account=parameters.get("account", ""),
        credential=parameters.get("credential", ""),
        parameters=MappingProxyType({key: value for key, value in parameters.items() if key not in _BMC_FIELDS}),
    )


# -- hardware


def _hints(node: Node, hardware: HardwareProfile) -> HardwareHints:
    boot_disk = _boot_disk(node)
    return HardwareHints(
        vendor=hardware.vendor,
        generation=hardware.generation,
        hw_version=hardware.hw_version,
        bios_version=hardware.bios_version,
        boot_mode=None if hardware.boot_mode is None else BootMode(hardware.boot_mode),
        bootstrap_protocol=hardware.bootstrap_protocol,
        pxe_interface=hardware.pxe_interface,
        boot_disk=None if boot_disk is None else _device(boot_disk.name, hardware),
    )


def _boot_disk(node: Node) -> PhysicalDevice | None:
    """The disk that is labelled so; else the one with a partition to boot from, or for the root file system."""
    disks = node.physical_devices.values()
    labelled = (disk for disk in disks if disk.labels.get(BOOT_DRIVE, "").lower() == "true")
    bootable = (disk for disk in disks if any(_boots(partition) for partition in disk.partitions))
    return next(labelled, None) or next(bootable, None)


def _boots(partition: Partition) -> bool:
    mounted = partition.filesystem is not None and partition.filesystem.mountpoint in ("/", "/boot")
    return partition.bootable or mounted


def _device(name: str, hardware: HardwareProfile) -> DeviceSelector:
    alias = hardware.device_aliases.get(name)
    if alias is None:
        return DeviceSelector(name, bus_type=None, address=None, model=None)
    return DeviceSelector(name, alias.bus_type, alias.address, alias.dev_type)


# -- networks


def _network(network: Network) -> NetworkPlan:
    relayed = network.dhcp_relay_self_ip is not None or network.dhcp_relay_upstream_target is not None
    return NetworkPlan(
        name=network.name,
        cidr=network.cidr,
        vlan=_vlan(network),
        mtu=network.mtu,
        configured=NOCONFIG not in network.labels,
        routedomain=network.routedomain,
        gateway=network.default_gateway,
        dns_domain=network.dns_domain,
        dns_servers=_dns_servers(network),
        ranges=tuple(RangePlan(each.type, each.start, each.end) for each in network.ranges),
        routes=_routes(network),
        dhcp_relay=DhcpRelayPlan(network.dhcp_relay_self_ip, network.dhcp_relay_upstream_target) if relayed else None,
    )


def _link(link: NetworkLink) -> LinkPlan:
    return LinkPlan(
        name=link.name,
        mtu=link.mtu,
        configured=NOCONFIG not in link.labels,
        trunk=link.trunk_mode is TrunkMode.TAGGED,
        native_network=link.native_network,
        networks=link.allowed_networks,
        bond=_bond(link.bonding),
        labels=link.labels,
    )


def _interface(site: SiteDesign, node: Node, interface: Interface, hardware: HardwareProfile) -> InterfacePlan:
    link = site.network_links.get(interface.network_link or "")
    networks = [site.networks[name] for name in interface.networks if name in site.networks]
    sriov = interface.sriov
    return InterfacePlan(
        name=interface.name,
        link=interface.network_link,
        configured=link is None or NOCONFIG not in link.labels,
        ports=tuple(_device(slave, hardware) for slave in interface.hardware_slaves),
        bond=None if link is None else _bond(link.bonding),
        mtu=None if link is None else link.mtu,
        sriov=None if sriov is None else SrIovPlan(sriov.vf_count, sriov.trustedmode),
        networks=tuple(_attached(site, node, link, network) for network in networks),
    )


def _attached(site: SiteDesign, node: Node, link: NetworkLink | None, network: Network) -> AttachedNetwork:
    addresses = tuple(
        AddressPlan(AddressKind(address.type), address.address)
        for address in node.addresses
        if address.network == network.name
    )
    return AttachedNetwork(
        name=network.name,
        cidr=network.cidr,
        vlan=_vlan(network),
        tag=_vlan(network) if _tagged(site, link, network) else None,
        mtu=network.mtu,
        configured=NOCONFIG not in network.labels,
        addresses=addresses or (AddressPlan(AddressKind.NONE, None),),
        routes=_routes(network),
        dns_servers=_dns_servers(network),
        dns_domain=network.dns_domain,
    )


def _tagged(site: SiteDesign, link: NetworkLink | None, network: Network) -> bool:
    """On a trunk all but the native network, and what shares its VLAN, such as IPv6 beside IPv4."""
    if link is None or link.trunk_mode is not TrunkMode.TAGGED or network.vlan is None:
        return False
    native = site.networks.get(link.native_network or "")
    return network.name != link.native_network and (native is None or native.vlan != network.vlan)


def _vlan(network: Network) -> int | None:
    if network.vlan is None:
        return None
    if not (network.vlan.isascii() and network.vlan.isdigit() and len(network.vlan) <= 4):
        raise DesignInvalid(f"the vlan of network {network.name} is no number: {network.vlan:.40}")
    return int(network.vlan)


def _dns_servers(network: Network) -> tuple[str, ...]:
    return tuple((network.dns_servers or "").replace(",", " ").split())


def _routes(network: Network) -> tuple[RoutePlan, ...]:
    """Without those that only mark that the network belongs to a route domain."""
    return tuple(
        RoutePlan(route.subnet, route.gateway, None if route.metric is None else int(float(route.metric)))
        for route in network.routes
        if route.subnet is not None
    )


def _bond(bond: Bonding) -> BondPlan | None:
    if bond.mode is BondMode.DISABLED:
        return None
    return BondPlan(bond.mode.value, bond.hash, bond.peer_rate, bond.mon_rate, bond.up_delay, bond.down_delay)


# -- disks


def _disk(device: PhysicalDevice, hardware: HardwareProfile) -> DiskPlan:
    return DiskPlan(
        device=_device(device.name, hardware),
        volume_group=device.volume_group,
        labels=device.labels,
        partitions=tuple(_partition(partition) for partition in device.partitions),
    )


def _partition(partition: Partition) -> PartitionPlan:
    return PartitionPlan(
        name=partition.name,
        size=_size(partition),
        uuid=partition.part_uuid,
        volume_group=partition.volume_group,
        bootable=partition.bootable,
        labels=partition.labels,
        filesystem=_filesystem(partition.filesystem),
    )


def _group(group: VolumeGroup) -> VolumeGroupPlan:
    volumes = tuple(
        LogicalVolumePlan(volume.name, _size(volume), volume.lv_uuid, _filesystem(volume.filesystem))
        for volume in group.logical_volumes
    )
    return VolumeGroupPlan(group.name, group.vg_uuid, volumes)


def _size(part: Partition | LogicalVolume) -> SizePlan | None:
    if part.size is None:
        return None
    size = parse_size(part.size)
    if size is None:
        return SizePlan(part.size, bytes=None, percent=None, at_least=False)
    return SizePlan(part.size, size.bytes, size.percent, size.at_least)


def _filesystem(given: Filesystem | None) -> FileSystemPlan | None:
    if given is None:
        return None
    return FileSystemPlan(given.mountpoint, given.fstype, given.mount_options, given.fs_uuid, given.fs_label)


# -- what else a site has


def _repository(repository: Repository) -> RepositoryPlan:
    return RepositoryPlan(
        name=repository.name,
        url=repository.url,
        kind=repository.repo_type,
        gpgkey=repository.gpgkey,
        distributions=repository.distributions,
        subrepos=repository.subrepos,
        components=repository.components,
        arches=repository.arches,
        options=repository.options,
    )
