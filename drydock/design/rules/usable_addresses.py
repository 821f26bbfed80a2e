"""DD5004: no node has its network's network address or broadcast address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import Span, number, span
from drydock.model.message import Level
from drydock.model.network import Network
from drydock.model.node import STATIC
from drydock.model.site import SiteDesign


class UsableAddresses:
    code: ClassVar[str] = "DD5004"
    name: ClassVar[str] = "usable-addresses"
    long_name: ClassVar[str] = "Usable Addresses"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        taken = {network.name: dict(_taken(network)) for network in site.networks.values()}
        for node in site.nodes.values():
            for address in node.addresses:
                reserved = taken.get(address.network)
                if not reserved or address.type != STATIC:
                    continue
                value = number(address.address or "")
                if value in reserved:
                    what = f"the {reserved[value]} of {address.network}"
                    text = f"The IP Address {address.address} of {node.name} is {what}."
                    documents = (document("BaremetalNode", node.name), document("Network", address.network))
                    yield Finding(Level.ERROR, text, documents)


def _taken(network: Network) -> Iterator[tuple[tuple[int, int] | None, str]]:
    """IPv6 has no broadcast, and networks of one or two addresses (/31, /32) use all of them."""
    whole: Span | None = span(network)
    if whole is None or whole.last - whole.first < 2:
        return
    yield (whole.version, whole.first), "network address"
    if whole.version == 4:
        yield (whole.version, whole.last), "broadcast address"
