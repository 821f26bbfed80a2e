"""DD5006: every network that is referred to exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding, document
from drydock.model.message import DocumentRef, Level
from drydock.model.node import DHCP, Node
from drydock.model.site import SiteDesign


class KnownNetworks:
    code: ClassVar[str] = "DD5006"
    name: ClassVar[str] = "known-networks"
    long_name: ClassVar[str] = "Known Networks"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for link in site.network_links.values():
            for network in dict.fromkeys(link.allowed_networks):
                if network not in site.networks:
                    yield _unknown(network, f"allowed on link {link.name}", document("NetworkLink", link.name))
        of_interfaces: dict[int, tuple[tuple[str, str], ...]] = {}
        for node in site.nodes.values():
            key = id(node.interfaces)
            if key not in of_interfaces:
                of_interfaces[key] = tuple(
                    (network, f"on interface {interface.name}")
                    for interface in node.interfaces.values()
                    for network in dict.fromkeys(interface.networks)
                    if network not in site.networks
                )
            for network, where in (*of_interfaces[key], *_named(node, site)):
                yield _unknown(network, f"{where} of node {NODE}", node=node.name)


def _named(node: Node, site: SiteDesign) -> Iterator[tuple[str, str]]:
    """Networks that a node refers to. DD2002 reports static addresses on unknown networks."""
    networks = site.networks
    if node.primary_network is not None and node.primary_network not in networks:
        yield node.primary_network, "the primary network"
    if node.oob_type is not None:
        network = node.oob_parameters.get("network")
        if network is not None and network not in networks:
            yield network, "the OOB network"
    for address in node.addresses:
        if address.type == DHCP and address.network not in networks:
            yield address.network, "the network of a DHCP address"


def _unknown(network: str, where: str, *documents: DocumentRef, node: str = "") -> Finding:
    text = f"Network {network:.100}, {where}, does not exist."
    return Finding(Level.WARNING, text, documents, missing=document("Network", network), node=node)
