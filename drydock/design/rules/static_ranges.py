"""DD5003: static addresses come from a network's static ranges, if it has any, and never from its dhcp ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.address_ranges import bounds
from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import Span, number, span
from drydock.model.message import Level
from drydock.model.network import Network
from drydock.model.node import STATIC
from drydock.model.site import SiteDesign


class StaticRanges:
    code: ClassVar[str] = "DD5003"
    name: ClassVar[str] = "static-ranges"
    long_name: ClassVar[str] = "Static Ranges"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        known = {network.name: _Ranges(network) for network in site.networks.values() if network.ranges}
        for node in site.nodes.values():
            for address in node.addresses:
                ranges = known.get(address.network)
                if ranges is None or address.type != STATIC:
                    continue
                wrong = ranges.fault(address.address or "")
                if wrong:
                    text = f"The IP Address {address.address} of {node.name} is {wrong} of {address.network}."
                    documents = (document("BaremetalNode", node.name), document("Network", address.network))
                    yield Finding(Level.WARNING, text, documents)


class _Ranges:
    def __init__(self, network: Network) -> None:
        self._whole = span(network)
        self._static = _of(network, "static")
        self._dhcp = _of(network, "dhcp")

    def fault(self, text: str) -> str:
        """Empty if all is well, or if another rule has said that the address is none, or outside its network."""
        value = number(text)
        if value is None or self._whole is None or not self._whole.holds(value):
            return ""
        if any(found.holds(value) for found in self._dhcp):
            return "in a dhcp range"
        if self._static and not any(found.holds(value) for found in self._static):
            return "outside the static ranges"
        return ""


def _of(network: Network, kind: str) -> tuple[Span, ...]:
    found = (bounds(item) for item in network.ranges if item.type == kind)
    return tuple(ends for ends in found if ends is not None)
