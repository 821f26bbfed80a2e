"""DD5003: static addresses are in a network's static ranges, if it has any, and never in its DHCP ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.address_ranges import bounds
from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import number, span
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
        self._static = _Spans(network, "static")
        self._dhcp = _Spans(network, "dhcp")

    def fault(self, text: str) -> str:
        """The fault; empty if none, or if another rule reports the address as invalid or outside its network."""
        value = number(text)
        if value is None or self._whole is None or not self._whole.holds(value):
            return ""
        if self._dhcp.holds(value):
            return "in a dhcp range"
        if self._static and not self._static.holds(value):
            return "outside the static ranges"
        return ""


class _Spans:
    """A set of ranges, searched by bisection."""

    def __init__(self, network: Network, kind: str) -> None:
        found = (bounds(item) for item in network.ranges if item.type == kind)
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        for ends in sorted(filter(None, found), key=lambda ends: (ends.version, ends.first)):
            last = (ends.version, ends.last)
            if self._ends and (ends.version, ends.first) <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], last)
            else:
                self._starts.append((ends.version, ends.first))
                self._ends.append(last)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def holds(self, address: tuple[int, int]) -> bool:
        at = bisect_right(self._starts, address) - 1
        return at >= 0 and address <= self._ends[at]
