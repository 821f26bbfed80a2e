"""Valid records for provisioners; a test names only what matters to it."""

from __future__ import annotations

from dataclasses import replace

from drydock.drivers.node.records import (
    AddressKind,
    AddressPlan,
    AttachedNetwork,
    BondPlan,
    Deployment,
    DeviceSelector,
    DiskPlan,
    FileSystemPlan,
    HardwareHints,
    InterfacePlan,
    LinkPlan,
    MetaData,
    NetworkPlan,
    PartitionPlan,
    ProvisionedNode,
    ProvisionedSite,
    SizePlan,
    StoragePlan,
)
from drydock.drivers.oob.base import BmcAccess

BOND = BondPlan("802.3ad", hash="layer3+4", peer_rate="fast", mon_rate=100, up_delay=200, down_delay=200)
DISK = DeviceSelector("sda", bus_type="scsi", address="0:0.0.0", model=None)


def site_plan() -> ProvisionedSite:
    network = NetworkPlan(
        name="pxe",
        cidr="10.1.0.0/16",
        vlan=None,
        mtu=1500,
        configured=True,
        routedomain=None,
        gateway=None,
        dns_domain="example.org",
        dns_servers=(),
        ranges=(),
        routes=(),
        dhcp_relay=None,
    )
    link = LinkPlan(
        "pxe", mtu=1500, configured=True, trunk=False, native_network="pxe", networks=("pxe",), bond=None, labels={}
    )
    return ProvisionedSite((network,), (link,), (), repositories=None, remove_unlisted=False, authorized_keys=())


def node_plan(name: str, **changes: object) -> ProvisionedNode:
    """One bond with a tagged network, one disk with a root file system."""
    plan = ProvisionedNode(
        name=name,
        domain="example.org",
        boot_mac=None,
        image="jammy",
        kernel="hwe-22.04",
        kernel_params="console=ttyS0",
        tags=("rack1",),
        labels={"role": "worker"},
        hardware=HardwareHints(
            vendor=None,
            generation=None,
            hw_version=None,
            bios_version=None,
            boot_mode=None,
            bootstrap_protocol=None,
            pxe_interface=None,
            boot_disk=DISK,
        ),
        interfaces=(_bond0(),),
        storage=StoragePlan((_disk(),), ()),
        bmc=BmcAccess(name, "redfish", "192.0.2.1", "admin", "not-a-secret"),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def deployment(node: ProvisionedNode, deployment_id: str, user_data: str = "") -> Deployment:
    hostname = f"{node.name}.{node.domain}"
    return Deployment(
        deployment_id, node, user_data, MetaData(deployment_id, hostname, public_keys=(), labels=node.labels)
    )


def _bond0() -> InterfacePlan:
    ports = tuple(DeviceSelector(name, bus_type=None, address=None, model=None) for name in ("e1", "e2"))
    network = AttachedNetwork(
        name="calico",
        cidr="10.3.0.0/16",
        vlan=101,
        tag=101,
        mtu=9000,
        configured=True,
        addresses=(AddressPlan(AddressKind.STATIC, "10.3.0.11"),),
        routes=(),
        dns_servers=(),
        dns_domain="example.org",
    )
    return InterfacePlan("bond0", "data", True, ports, BOND, 9000, None, (network,))


def _disk() -> DiskPlan:
    root = PartitionPlan(
        name="root",
        size=SizePlan(">30g", bytes=30 * 10**9, percent=None, at_least=True),
        uuid=None,
        volume_group=None,
        bootable=True,
        labels={},
        filesystem=FileSystemPlan("/", "ext4", "defaults", uuid=None, label=None),
    )
    return DiskPlan(DISK, volume_group=None, labels={"bootdrive": "true"}, partitions=(root,))
