"""DD5002: networks have a DHCP range if nodes use DHCP on them or boot from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.network import Network
from drydock.model.node import DHCP, Node
from drydock.model.site import SiteDesign

NOCONFIG = "noconfig"


class DhcpRanges:
    code: ClassVar[str] = "DD5002"
    name: ClassVar[str] = "dhcp-ranges"
    long_name: ClassVar[str] = "DHCP Ranges"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        without = {network.name for network in site.networks.values() if not _serves(network)}
        asked = _asked(site.nodes, without)
        for name, (first, count) in asked.items():
            others = f" and {count - 1} more" if count > 1 else ""
            text = f"Network {name} has no dhcp range, but {first}{others} asks for an address by DHCP."
            yield Finding(Level.WARNING, text, (document("Network", name), document("BaremetalNode", first)))
        for name, first in _booting(site).items():
            if name in without and name not in asked:
                text = f"Network {name} has no dhcp range, and {first} can boot from no other network."
                documents = (document("Network", name), document("BaremetalNode", first))
                yield Finding(Level.WARNING, text, documents, kinds=("Network", "NetworkLink"))


def _serves(network: Network) -> bool:
    """True if the network has a DHCP range or is not managed by this design."""
    return NOCONFIG in network.labels or any(item.type == "dhcp" for item in network.ranges)


def _asked(nodes: Mapping[str, Node], without: set[str]) -> dict[str, tuple[str, int]]:
    """Networks without a range, with the first node that needs one and the number of such nodes."""
    found: dict[str, tuple[str, int]] = {}
    for node in nodes.values():
        for address in node.addresses:
            if address.type == DHCP and address.network in without:
                first, count = found.get(address.network, (node.name, 0))
                found[address.network] = first, count + 1
    return found


def _booting(site: SiteDesign) -> dict[str, str]:
    """Boot networks (the only untagged network of a node), each with its first node."""
    native = {link.name: link.native_network for link in site.network_links.values()}
    known: dict[int, list[str]] = {}
    found: dict[str, str] = {}
    for node in site.nodes.values():
        key = id(node.interfaces)
        names = known.get(key)
        if names is None:
            links = {native.get(interface.network_link or "") for interface in node.interfaces.values()}
            names = known[key] = [name for name in links if name is not None and name in site.networks]
        if len(names) == 1:
            found.setdefault(names[0], node.name)
    return found
