"""OpenStack's network_data.json, which cloud-init reads, from the typed interfaces. Pure.

A NIC is named by its MAC where the machine was inspected, else by the kernel's name for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drydock.drivers.node.records import (
    AddressKind,
    AddressPlan,
    AttachedNetwork,
    BondPlan,
    DeviceSelector,
    InterfacePlan,
    ProvisionedNode,
    RoutePlan,
)
from drydock.model.bus_addresses import matches
from drydock.model.hardware_facts import HardwareFacts, NicFacts

Json = dict[str, Any]

#: Our member of a bond and OpenStack's name for it.
BOND = (
    ("mode", "bond_mode"),
    ("hash", "bond_xmit_hash_policy"),
    ("peer_rate", "bond_lacp_rate"),
    ("mon_rate", "bond_miimon"),
    ("up_delay", "bond_updelay"),
    ("down_delay", "bond_downdelay"),
)

NO_DOMAIN = "local"
"""A network's domain where the design says none; it is multicast DNS's, and nothing to search in."""


class NicUnknown(Exception):
    """The machine has no NIC at the place that the design names, or it is not known where its NICs are."""


def network_data(node: ProvisionedNode, facts: HardwareFacts | None) -> Json:
    """Raises ``NicUnknown``, with a sentence."""
    links: list[Json] = []
    networks: list[Json] = []
    servers: list[str] = []
    for interface in node.interfaces:
        if not interface.configured:
            continue
        links += _links(interface, facts)
        for network in _configured(interface):
            if network.tag is not None and _vlan_id(interface, network.tag) not in {link["id"] for link in links}:
                links.append(_vlan(interface, network, _mac(interface, facts)))
            networks += _addresses(interface, network)
            servers += [server for server in network.dns_servers if server not in servers]
    return {"links": links, "networks": networks, "services": [{"type": "dns", "address": one} for one in servers]}


def unsupported(node: ProvisionedNode) -> Iterator[str]:
    """One sentence for each thing."""
    bonds = 0
    for interface in node.interfaces:
        if interface.sriov:
            yield f"SR-IOV of {interface.name}: a config drive has no words for it"
        if interface.configured and interface.bond is not None:
            theirs = f"bond{bonds}"
            if interface.name != theirs:
                yield f"the name of the bond {interface.name}: cloud-init calls it {theirs}, by its place in the design"
            bonds += 1


def _configured(interface: InterfacePlan) -> Sequence[AttachedNetwork]:
    return [network for network in interface.networks if network.configured]


def _links(interface: InterfacePlan, facts: HardwareFacts | None) -> list[Json]:
    """The NICs, and the bond over them."""
    mtu = _mtu(interface)
    if interface.bond is None:
        return [{**_nic(port, facts), "id": interface.name, **mtu} for port in interface.ports[:1]]
    nics = [{**_nic(port, facts), **mtu} for port in interface.ports]
    mac = _mac(interface, facts)
    address = {} if mac is None else {"ethernet_mac_address": mac}
    bond = {**_bond(interface.name, interface.bond), "bond_links": [nic["id"] for nic in nics]}
    return [*nics, {**bond, **address, **mtu}]


def _nic(port: DeviceSelector, facts: HardwareFacts | None) -> Json:
    found = find_nic(port, facts)
    link = {"id": port.name, "type": "phy"}
    return {**link, "name": port.name} if found is None else {**link, "ethernet_mac_address": found.mac}


def find_nic(port: DeviceSelector, facts: HardwareFacts | None) -> NicFacts | None:
    """None for one that the kernel's name has to do for. Raises ``NicUnknown``."""
    nics = (facts.nics if facts is not None else None) or ()
    if port.address is None:
        return next((nic for nic in nics if nic.name == port.name), None)
    found = next((nic for nic in nics if nic.bus_address and matches(port.address, nic.bus_address)), None)
    if found is None:
        seen = ", ".join(sorted(nic.bus_address for nic in nics if nic.bus_address)) or "none"
        raise NicUnknown(
            f"no NIC is known at {port.bus_type or 'bus'} {port.address} ({port.name}); inspection found: {seen}"
        )
    return found


def _bond(name: str, bond: BondPlan) -> Json:
    values = ((theirs, getattr(bond, ours)) for ours, theirs in BOND)
    return {"id": name, "name": name, "type": "bond", **{key: value for key, value in values if value is not None}}


def _vlan_id(interface: InterfacePlan, tag: int) -> str:
    return f"{interface.name}.{tag}"


def _vlan(interface: InterfacePlan, network: AttachedNetwork, mac: str | None) -> Json:
    """``mac``: None where it is not known; cloud-init fails on a VLAN that has no such member."""
    assert network.tag is not None
    name = _vlan_id(interface, network.tag)
    mtu = {} if network.mtu is None else {"mtu": network.mtu}
    link = {"id": name, "name": name, "type": "vlan", "vlan_link": interface.name, "vlan_id": network.tag}
    return {**link, "vlan_mac_address": mac, **mtu}


def _mac(interface: InterfacePlan, facts: HardwareFacts | None) -> str | None:
    """Of its first NIC, which is also a bond's. Raises ``NicUnknown``."""
    found = find_nic(interface.ports[0], facts) if interface.ports else None
    return None if found is None else found.mac


def _mtu(interface: InterfacePlan) -> Json:
    """Of the interface, or of its untagged network."""
    untagged = [network.mtu for network in _configured(interface) if network.tag is None and network.mtu is not None]
    mtu = interface.mtu if interface.mtu is not None else next(iter(untagged), None)
    return {} if mtu is None else {"mtu": mtu}


def _addresses(interface: InterfacePlan, network: AttachedNetwork) -> list[Json]:
    """Routes go with the first address of the network."""
    link = interface.name if network.tag is None else _vlan_id(interface, network.tag)
    wanted = [address for address in network.addresses if address.kind is not AddressKind.NONE]
    found = []
    for number, address in enumerate(wanted):
        routes = network.routes if number == 0 else ()
        row = {"id": f"{link}-{network.name}-{number}", "link": link, "network_id": network.name}
        found.append({**row, **_address(address, network), "routes": [_route(route) for route in routes]})
    return found


def _address(address: AddressPlan, network: AttachedNetwork) -> Mapping[str, Any]:
    subnet = ipaddress.ip_network(network.cidr, strict=False)
    kind = f"ipv{subnet.version}"
    search = {} if network.dns_domain in ("", NO_DOMAIN) else {"dns_search": [network.dns_domain]}
    if address.kind is AddressKind.DHCP:
        return {"type": f"{kind}_dhcp", **search}
    row: Json = {"type": kind, "ip_address": address.address, "netmask": str(subnet.netmask), **search}
    if network.dns_servers:
        row["dns_nameservers"] = list(network.dns_servers)
        row["services"] = [{"type": "dns", "address": server} for server in network.dns_servers]
    return row


def _route(route: RoutePlan) -> Json:
    subnet = ipaddress.ip_network(route.destination, strict=False)
    row: Json = {"network": str(subnet.network_address), "netmask": str(subnet.netmask)}
    given = {"gateway": route.gateway, "metric": route.metric}
    return {**row, **{name: value for name, value in given.items() if value is not None}}
