"""DD5008: interfaces are on a link, and have one network only if the link has no trunking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding, document
from drydock.design.rules.ip_numbers import are_dual_stack
from drydock.model.host_profile import Interface
from drydock.model.message import DocumentRef, Level
from drydock.model.network import TrunkMode
from drydock.model.site import SiteDesign


class InterfaceLinks:
    code: ClassVar[str] = "DD5008"
    name: ClassVar[str] = "interface-links"
    long_name: ClassVar[str] = "Interface Links"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        known: dict[int, tuple[tuple[str, DocumentRef | None], ...]] = {}
        for node in site.nodes.values():
            key = id(node.interfaces)
            if key not in known:
                known[key] = tuple(fault for item in node.interfaces.values() for fault in _faults(item, site))
            for text, missing in known[key]:
                yield Finding(Level.WARNING, f"{text} on BaremetalNode {NODE}", missing=missing, node=node.name)


def _faults(interface: Interface, site: SiteDesign) -> Iterator[tuple[str, DocumentRef | None]]:
    """Each with the missing document. DD1007 reports an interface with networks but without a link."""
    if interface.network_link is None:
        if not interface.networks and interface.sriov is None:
            yield f"Interface {interface.name} has no device_link", None
        return
    link = site.network_links.get(interface.network_link)
    if link is None:
        if not interface.networks:
            text = f"Interface {interface.name} is on network link {interface.network_link:.100}, which does not exist"
            yield text, document("NetworkLink", interface.network_link)
    elif link.trunk_mode is TrunkMode.DISABLED and _too_many(set(interface.networks), site):
        yield f"Interface {interface.name} has several networks, but link {link.name} has no trunking", None


def _too_many(networks: set[str], site: SiteDesign) -> bool:
    return len(networks) > 1 and not are_dual_stack(networks, site.networks)
