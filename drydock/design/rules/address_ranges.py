"""DD5001: address ranges of a network are valid, within the network, and do not overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import Span, number, span
from drydock.model.message import Level
from drydock.model.network import AddressRange, Network
from drydock.model.site import SiteDesign

KNOWN_TYPES = ("static", "dhcp", "reserved")


class AddressRanges:
    code: ClassVar[str] = "DD5001"
    name: ClassVar[str] = "address-ranges"
    long_name: ClassVar[str] = "Address Ranges"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for network in site.networks.values():
            for text in _texts(network):
                yield Finding(Level.WARNING, f"{text} on Network {network.name}.", (document("Network", network.name),))


def _texts(network: Network) -> Iterator[str]:
    whole = span(network)
    spans: list[tuple[Span, AddressRange]] = []
    for item in network.ranges:
        if item.type not in KNOWN_TYPES:
            yield f"Range {_title(item)} has a type other than {', '.join(KNOWN_TYPES)}"
        ends = bounds(item)
        if ends is None:
            yield f"Range {_title(item)} does not go from one address to a higher one"
            continue
        spans.append((ends, item))
        if whole is not None and not (
            ends.version == whole.version and whole.first <= ends.first and ends.last <= whole.last
        ):
            yield f"Range {_title(item)} is not within {network.cidr}"
    yield from _overlaps(spans)


def _overlaps(spans: list[tuple[Span, AddressRange]]) -> Iterator[str]:
    ordered = sorted(spans, key=lambda pair: (pair[0].version, pair[0].first))
    widest: tuple[Span, AddressRange] | None = None
    for ends, item in ordered:
        if widest is not None and widest[0].version == ends.version and ends.first <= widest[0].last:
            yield f"Range {_title(item)} overlaps range {_title(widest[1])}"
        if widest is None or widest[0].version != ends.version or ends.last > widest[0].last:
            widest = ends, item


def bounds(item: AddressRange) -> Span | None:
    """First and last address of a range; None if it is invalid."""
    start, end = number(item.start or ""), number(item.end or "")
    if start is None or end is None or start[0] != end[0] or start[1] > end[1]:
        return None
    return Span(start[0], start[1], end[1])


def _title(item: AddressRange) -> str:
    return f"{item.start!s:.60} to {item.end!s:.60} ({item.type!s:.40})"
