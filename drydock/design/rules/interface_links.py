"""DD5008: interfaces are on a link, and on a link without trunking with one network only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.host_profile import Interface
from drydock.model.message import Level
from drydock.model.network import TrunkMode
from drydock.model.site import SiteDesign


class InterfaceLinks:
    code: ClassVar[str] = "DD5008"
    name: ClassVar[str] = "interface-links"
    long_name: ClassVar[str] = "Interface Links"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        known: dict[int, tuple[str, ...]] = {}
        for node in site.nodes.values():
            key = id(node.interfaces)
            if key not in known:
                known[key] = tuple(text for item in node.interfaces.values() for text in _texts(item, site))
            for text in known[key]:
                yield Finding(
                    Level.WARNING, f"{text} on BaremetalNode {node.name}", (document("BaremetalNode", node.name),)
                )


def _texts(interface: Interface, site: SiteDesign) -> Iterator[str]:
    """An interface with networks but without a link is an error of DD1007."""
    if interface.network_link is None:
        if not interface.networks and interface.sriov is None:
            yield f"Interface {interface.name} has no device_link"
        return
    link = site.network_links.get(interface.network_link)
    if link is None:
        if not interface.networks:
            yield f"Interface {interface.name} is on network link {interface.network_link:.100}, which does not exist"
    elif link.trunk_mode is TrunkMode.DISABLED and len(set(interface.networks)) > 1:
        yield f"Interface {interface.name} has several networks, but link {link.name} has no trunking"
