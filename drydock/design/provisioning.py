"""What the drivers need of a node, as the small records they take; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from drydock.drivers.node.base import ProvisionedNode
from drydock.drivers.oob.base import Bmc
from drydock.errors import DesignInvalid
from drydock.model.host_profile import Interface
from drydock.model.network import BondMode, Network
from drydock.model.node import Address, Node
from drydock.model.site import SiteDesign
from drydock.model.storage import LogicalVolume, Partition

_BMC_FIELDS = ("account", "credential")


def provisioned_node(site: SiteDesign, name: str) -> ProvisionedNode:
    """The node for its provisioner. Raises ``DesignInvalid`` if the site has no such node."""
    node = _node(site, name)
    return ProvisionedNode(
        name=node.name,
        domain=node.domain,
        boot_mac=node.boot_mac,
        image=node.image,
        kernel=node.kernel,
        kernel_params=node.kernel_param_string.strip(),
        tags=node.tags,
        networking={
            "interfaces": {interface.name: _interface(site, node, interface) for interface in node.interfaces.values()}
        },
        storage=_storage(node),
    )


def bmc(site: SiteDesign, name: str) -> tuple[str | None, Bmc]:
    """The out-of-band type of a node and its BMC; the address is the node's static one on ``oob.network``.

    Raises ``DesignInvalid`` if the site has no such node.
    """
    node = _node(site, name)
    parameters = node.oob_parameters
    return node.oob_type, Bmc(
        node=node.name,
        address=node.static_address(parameters.get("network")),
        account=parameters.get("account", ""),
        credential=parameters.get("credential", ""),
        parameters=MappingProxyType({key: value for key, value in parameters.items() if key not in _BMC_FIELDS}),
    )


def _node(site: SiteDesign, name: str) -> Node:
    if name not in site.nodes:
        raise DesignInvalid(f"the design has no node {name:.100}")
    return site.nodes[name]


def _interface(site: SiteDesign, node: Node, interface: Interface) -> Mapping[str, Any]:
    link = site.network_links.get(interface.network_link or "")
    bond = link.bonding if link is not None else None
    described: dict[str, Any] = {
        "mtu": link.mtu if link is not None else None,
        "slaves": [selector.address for selector in interface.slave_selectors],
        "bond_mode": str(bond.mode) if bond is not None else str(BondMode.DISABLED),
        "networks": [
            _network(site.networks[network], address)
            for network in interface.networks
            if network in site.networks
            for address in _addresses(node, network)
        ],
    }
    if bond is not None and bond.mode is not BondMode.DISABLED:
        described["bond"] = {key: value for key, value in asdict(bond).items() if key != "mode" and value is not None}
    if interface.sriov is not None:
        described["sriov"] = asdict(interface.sriov)
    return described


def _addresses(node: Node, network: str) -> Iterator[Address | None]:
    """The node's addresses on a network; None once if it has none (the link is only brought up)."""
    found = [address for address in node.addresses if address.network == network]
    if found:
        yield from found
    else:
        yield None


def _network(network: Network, address: Address | None) -> Mapping[str, Any]:
    return {
        "name": network.name,
        "cidr": network.cidr,
        "vlan": network.vlan,
        "mtu": network.mtu,
        "address": None if address is None else address.address or address.type,
        "routes": [
            {"subnet": route.subnet, "gateway": route.gateway, "metric": route.metric}
            for route in network.routes
            if route.subnet is not None
        ],
    }


def _storage(node: Node) -> Mapping[str, Any]:
    return {
        "disks": {
            device.name: {
                "volume_group": device.volume_group,
                "labels": dict(device.labels),
                "partitions": [_described(partition) for partition in device.partitions],
            }
            for device in node.physical_devices.values()
        },
        "volume_groups": {
            group.name: {
                "vg_uuid": group.vg_uuid,
                "logical_volumes": [_described(volume) for volume in group.logical_volumes],
            }
            for group in node.volume_groups.values()
        },
    }


def _described(part: Partition | LogicalVolume) -> dict[str, Any]:
    """With the keys of the design documents; what is not set is left out."""
    described = {
        key: getattr(part, key)
        for key in ("name", "size", "part_uuid", "lv_uuid", "volume_group", "bootable")
        if getattr(part, key, None) not in (None, False)
    }
    if isinstance(part, Partition) and part.labels:
        described["labels"] = dict(part.labels)
    if part.filesystem is not None:
        described["filesystem"] = {key: value for key, value in asdict(part.filesystem).items() if value is not None}
    return described
