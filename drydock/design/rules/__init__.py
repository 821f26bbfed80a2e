"""The rules, in the order they run: those of upstream Drydock, then our own."""

from __future__ import annotations

from drydock.design.rules.address_ranges import AddressRanges
from drydock.design.rules.allowed_networks import AllowedNetworks
from drydock.design.rules.asset_paths import AssetPaths
from drydock.design.rules.base import Rule
from drydock.design.rules.bonds import NetworkBonds
from drydock.design.rules.boot_action_scope import BootActionScope
from drydock.design.rules.boot_macs import BootMacs
from drydock.design.rules.boot_storage import BootStorage
from drydock.design.rules.cidr_validity import CidrValidity
from drydock.design.rules.device_aliases import DeviceAliases
from drydock.design.rules.dhcp_ranges import DhcpRanges
from drydock.design.rules.duplicate_ips import DuplicateIps
from drydock.design.rules.gateway_addresses import GatewayAddresses
from drydock.design.rules.hostnames import Hostnames
from drydock.design.rules.hugepages import Hugepages
from drydock.design.rules.interface_links import InterfaceLinks
from drydock.design.rules.ip_locality import IpLocality
from drydock.design.rules.ipmi import IpmiConfiguration
from drydock.design.rules.known_networks import KnownNetworks
from drydock.design.rules.known_racks import KnownRacks
from drydock.design.rules.libvirt import LibvirtConfiguration
from drydock.design.rules.mtu import MtuRationality
from drydock.design.rules.oob_parameters import OobParameters
from drydock.design.rules.package_lists import PackageLists
from drydock.design.rules.pipelines import Pipelines
from drydock.design.rules.platform import PlatformSelection
from drydock.design.rules.signaling import Signaling
from drydock.design.rules.static_ranges import StaticRanges
from drydock.design.rules.storage_mountpoint import StorageMountpoint
from drydock.design.rules.storage_partitioning import StoragePartitioning
from drydock.design.rules.storage_sizing import StorageSizing
from drydock.design.rules.trunking import NetworkTrunking
from drydock.design.rules.unit_assets import UnitAssets
from drydock.design.rules.usable_addresses import UsableAddresses
from drydock.design.rules.vlan_tags import VlanTags

RULES: tuple[Rule, ...] = (
    BootStorage(),
    CidrValidity(),
    Hugepages(),
    IpLocality(),
    MtuRationality(),
    NetworkTrunking(),
    DuplicateIps(),
    PlatformSelection(),
    NetworkBonds(),
    StoragePartitioning(),
    StorageSizing(),
    StorageMountpoint(),
    AllowedNetworks(),
    Hostnames(),
    IpmiConfiguration(),
    LibvirtConfiguration(),
    BootActionScope(),
    PackageLists(),
    AddressRanges(),
    DhcpRanges(),
    StaticRanges(),
    UsableAddresses(),
    GatewayAddresses(),
    KnownNetworks(),
    KnownRacks(),
    InterfaceLinks(),
    VlanTags(),
    AssetPaths(),
    BootMacs(),
    UnitAssets(),
    Signaling(),
    OobParameters(),
    DeviceAliases(),
    Pipelines(),
)
