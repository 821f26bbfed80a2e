"""DD1007: each network is on one link, and interfaces carry only networks that their link allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.host_profile import Interface
from drydock.model.message import Level
from drydock.model.network import NetworkLink
from drydock.model.site import SiteDesign


class AllowedNetworks:
    code: ClassVar[str] = "DD1007"
    name: ClassVar[str] = "allowed-networks"
    long_name: ClassVar[str] = "Allowed Network Check"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        yield from _duplicates(site.network_links)
        allowed = {name: frozenset(link.allowed_networks) for name, link in site.network_links.items()}
        known: dict[int, tuple[Finding, ...]] = {}
        for node in site.nodes.values():
            key = id(node.interfaces)
            if key not in known:
                used = [interface for interface in node.interfaces.values() if interface.networks]
                known[key] = tuple(fault for interface in used for fault in _faults(interface, allowed))
            yield from (replace(fault, node=node.name) for fault in known[key])


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


def _faults(interface: Interface, allowed: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    name = interface.network_link
    if name is None or name not in allowed:
        text = f"Interface {interface.name} connected to undefined network link {name}."
        yield Finding(Level.ERROR, text, missing=None if name is None else document("NetworkLink", name))
        return
    for network in interface.networks:
        if network not in allowed[name]:
            text = f"Interface {interface.name}: network {network} is not allowed on network link {name}."
            yield Finding(Level.ERROR, text, (document("NetworkLink", name),))
