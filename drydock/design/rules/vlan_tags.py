"""DD5009: the networks of a trunk have distinct tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import are_dual_stack
from drydock.model.message import Level
from drydock.model.network import NetworkLink, TrunkMode
from drydock.model.site import SiteDesign


class VlanTags:
    code: ClassVar[str] = "DD5009"
    name: ClassVar[str] = "vlan-tags"
    long_name: ClassVar[str] = "VLAN Tags"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for network in site.networks.values():
            if network.vlan is not None and not _possible(network.vlan):
                text = f"VLAN tag {network.vlan:.40} of Network {network.name} is not a number from 1 to 4094."
                yield Finding(Level.WARNING, text, (document("Network", network.name),))
        for link in site.network_links.values():
            if link.trunk_mode is TrunkMode.TAGGED:
                yield from _trunk(link, site)


def _possible(vlan: str) -> bool:
    return vlan.isascii() and vlan.isdigit() and len(vlan) <= 4 and 1 <= int(vlan) <= 4094


def _trunk(link: NetworkLink, site: SiteDesign) -> Iterator[Finding]:
    """IPv4 and IPv6 may share a tag, or be untagged both."""
    tags: dict[str, list[str]] = {}
    for name in dict.fromkeys(link.allowed_networks):
        network = site.networks.get(name)
        if network is None:
            continue
        documents = (document("Network", name), document("NetworkLink", link.name))
        if network.vlan is None:
            native = link.native_network
            if name != native and not (native is not None and are_dual_stack({name, native}, site.networks)):
                text = f"Network {name} has no vlan, but link {link.name} is a trunk on which it is not the default."
                yield Finding(Level.WARNING, text, documents)
            continue
        sharing = tags.setdefault(network.vlan, [])
        sharing.append(name)
        if len(sharing) > 1 and not are_dual_stack(sharing, site.networks):
            text = f"Networks {sharing[0]} and {name} have the same VLAN tag {network.vlan:.40} on {link.name}."
            yield Finding(Level.WARNING, text, documents)
