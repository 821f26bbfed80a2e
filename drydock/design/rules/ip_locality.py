"""DD2002 (IP Locality Check): gateways and static addresses lie within the network they are on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import is_link_local, number
from drydock.model.message import Level
from drydock.model.network import Network, Route
from drydock.model.node import STATIC, Address, Node
from drydock.model.site import SiteDesign

_Cidr = ipaddress.IPv4Network | ipaddress.IPv6Network


class IpLocality:
    code: ClassVar[str] = "DD2002"
    name: ClassVar[str] = "ip-locality"
    long_name: ClassVar[str] = "IP Locality Check"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        if not site.networks:
            yield Finding(Level.WARNING, "No networks found.", kinds=("Network",))
        if not site.nodes:
            yield Finding(Level.WARNING, "No baremetal_nodes found.", kinds=("BaremetalNode",))
        cidrs = {network.name: _parse(network.cidr) for network in site.networks.values()}
        for network in site.networks.values():
            for route in network.routes:
                yield from _check_route(network, route, cidrs[network.name])
        for node in site.nodes.values():
            for address in node.addresses:
                if address.type == STATIC:
                    yield from _check_address(node, address, site.networks, cidrs)


def _parse(cidr: str) -> _Cidr | None:
    """None for a CIDR that rule DD2006 reports."""
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def _contains(cidr: _Cidr, address: str) -> bool | None:
    """None if ``address`` is not one."""
    value = number(address)
    if value is None:
        return None
    return value[0] == cidr.version and int(cidr.network_address) <= value[1] <= int(cidr.broadcast_address)


def _is_on_link(cidr: _Cidr, gateway: str) -> bool:
    """True for a link-local IPv6 address, the usual address of a router."""
    value = number(gateway)
    return value is not None and cidr.version == 6 and is_link_local(value)


def _check_route(network: Network, route: Route, cidr: _Cidr | None) -> Iterator[Finding]:
    documents = (document("Network", network.name),)
    if not route.gateway:
        target = route.subnet or f"domain {route.routedomain}"
        yield Finding(Level.ERROR, f"No gateway found for route {target} of {network.name}.", documents)
        return
    inside = None if cidr is None else _contains(cidr, route.gateway)
    if cidr is not None and not inside and not _is_on_link(cidr, route.gateway):
        text = (
            f"The gateway IP Address {route.gateway} is not within the defined CIDR: {network.cidr} of {network.name}."
            if inside is False
            else f"The gateway {route.gateway} of {network.name} is not an IP address."
        )
        yield Finding(Level.ERROR, text, documents)


def _check_address(
    node: Node, address: Address, networks: Mapping[str, Network], cidrs: Mapping[str, _Cidr | None]
) -> Iterator[Finding]:
    documents = (document("BaremetalNode", node.name),)
    network = networks.get(address.network)
    if network is None:
        missing = document("Network", address.network)
        text = f"{address.network} is not a valid network."
        yield Finding(Level.ERROR, text, missing=missing, node=node.name)
        return
    cidr, text = cidrs[network.name], address.address or ""
    inside = None if cidr is None else _contains(cidr, text)
    if cidr is None or inside:
        return
    if inside is None:
        yield Finding(Level.ERROR, f"The IP Address {text} of {node.name} on {network.name} is not one.", documents)
    else:
        message = f"The IP Address {text} is not within the defined CIDR: {network.cidr} of {network.name} ."
        yield Finding(Level.ERROR, message, documents)
