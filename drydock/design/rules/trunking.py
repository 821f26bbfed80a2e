"""DD2004 (Network Trunking): a link without trunking carries one untagged network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import are_dual_stack
from drydock.model.message import Level
from drydock.model.network import Network, NetworkLink, TrunkMode
from drydock.model.site import SiteDesign


class NetworkTrunking:
    code: ClassVar[str] = "DD2004"
    name: ClassVar[str] = "network-trunking"
    # NOTE: upstream Drydock's spelling: clients distinguish rules of one code by this text.
    long_name: ClassVar[str] = "Network Trunking Rationalty"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for link in site.network_links.values():
            yield from _check(link, site.networks)


def _check(link: NetworkLink, networks: Mapping[str, Network]) -> Iterator[Finding]:
    documents = (document("NetworkLink", link.name),)
    native = link.native_network
    if native is not None and native not in networks:
        text = f"Trunking default network {native} of {link.name} does not exist."
        yield Finding(Level.ERROR, text, documents, missing=document("Network", native))
    if link.trunk_mode is not TrunkMode.DISABLED:
        return
    names = set(link.allowed_networks)
    if len(names) > 1 and not are_dual_stack(names, networks):
        text = f"If there is more than 1 allowed network, trunking mode must be enabled; for Network Link {link.name}."
        yield Finding(Level.ERROR, text, documents)
    if native is None:
        text = f"Trunking mode is disabled, a trunking default_network must be defined; for Network Link {link.name}."
        yield Finding(Level.ERROR, text, documents)
    elif native in networks and networks[native].vlan:
        text = f"Network link native network has a defined VLAN tag: {native} on {link.name}."
        yield Finding(Level.ERROR, text, (*documents, document("Network", native)))
