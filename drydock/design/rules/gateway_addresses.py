"""DD5005: a network's gateway is not one of the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import identity
from drydock.model.message import Level
from drydock.model.node import STATIC
from drydock.model.site import SiteDesign


class GatewayAddresses:
    code: ClassVar[str] = "DD5005"
    name: ClassVar[str] = "gateway-addresses"
    long_name: ClassVar[str] = "Gateway Addresses"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        gateways: dict[object, str] = {}
        for network in site.networks.values():
            for route in network.routes:
                if route.gateway:
                    gateways.setdefault(identity(route.gateway, network.name), network.name)
        for node in site.nodes.values():
            for address in node.addresses:
                # A warning: a node may be a router.
                key = identity(address.address or "", address.network)
                if address.type == STATIC and key in gateways:
                    network_name = gateways[key]
                    text = f"The IP Address {address.address} of {node.name} is a gateway of {network_name}."
                    documents = (document("BaremetalNode", node.name), document("Network", network_name))
                    yield Finding(Level.WARNING, text, documents)
