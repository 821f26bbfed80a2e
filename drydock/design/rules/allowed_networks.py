"""DD1007: each network is on one link, and interfaces carry only networks that their link allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.host_profile import Interface
from drydock.model.message import Level
from drydock.model.network import NetworkLink
from drydock.model.node import Node
from drydock.model.site import SiteDesign


class AllowedNetworks:
    code: ClassVar[str] = "DD1007"
    name: ClassVar[str] = "allowed-networks"
    long_name: ClassVar[str] = "Allowed Network Check"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        yield from _duplicates(site.network_links)
        for node in site.nodes.values():
            for interface in node.interfaces.values():
                if interface.networks:
                    yield from _check_interface(node, interface, site.network_links)


def _duplicates(links: Mapping[str, NetworkLink]) -> Iterator[Finding]:
    carriers: dict[str, str] = {}
    for link in links.values():
        for network in dict.fromkeys(link.allowed_networks):
            carrier = carriers.setdefault(network, link.name)
            if carrier != link.name:
                yield Finding(
                    Level.ERROR,
                    f"Allowed network {network} duplicated on NetworkLink {carrier} and NetworkLink {link.name}",
                    (document("NetworkLink", carrier), document("NetworkLink", link.name)),
                )


def _check_interface(node: Node, interface: Interface, links: Mapping[str, NetworkLink]) -> Iterator[Finding]:
    documents = (document("BaremetalNode", node.name),)
    link = links.get(interface.network_link) if interface.network_link is not None else None
    if link is None:
        text = f"Interface {interface.name} connected to undefined network link {interface.network_link}."
        missing = None if interface.network_link is None else document("NetworkLink", interface.network_link)
        yield Finding(Level.ERROR, text, documents, missing=missing)
        return
    for network in interface.networks:
        if network not in link.allowed_networks:
            text = f"Interface {interface.name}: network {network} is not allowed on network link {link.name}."
            yield Finding(Level.ERROR, text, (*documents, document("NetworkLink", link.name)))
