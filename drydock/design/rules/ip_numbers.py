"""Addresses and networks as numbers: rules check hundreds of thousands, and ``ipaddress`` builds an object each."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from drydock.model.network import Network


@dataclass(frozen=True, slots=True)
class Span:
    """All addresses from ``first`` to ``last``, both included, of IP ``version``."""

    version: int
    first: int
    last: int

    def holds(self, address: tuple[int, int]) -> bool:
        return address[0] == self.version and self.first <= address[1] <= self.last


def number(text: str) -> tuple[int, int] | None:
    """(version, number) of an address; None if it is invalid or has a zone (``%``)."""
    try:
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    if ":" not in text or "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address.version, int(address)


def span(network: Network) -> Span | None:
    """None for a CIDR that rule DD2006 reports."""
    try:
        cidr = ipaddress.ip_network(network.cidr, strict=False)
    except ValueError:
        return None
    return Span(cidr.version, int(cidr.network_address), int(cidr.broadcast_address))


def is_link_local(address: tuple[int, int]) -> bool:
    """True for a link-local IPv6 address, which is valid on one link and may be repeated on others."""
    return address[0] == 6 and address[1] >> 118 == 0xFE80 >> 6


def identity(address: str, network: str) -> object:
    """Equal for all spellings of an address; a link-local one differs by network."""
    if ":" not in address:
        return address
    value = number(address)
    return address if value is None else (value, network) if is_link_local(value) else value


def are_dual_stack(names: Collection[str], networks: Mapping[str, Network]) -> bool:
    """True for one IPv4 and one IPv6 network, which can share a VLAN."""
    spans = [span(networks[name]) for name in names if name in networks]
    return len(names) == 2 and {found.version for found in spans if found is not None} == {4, 6}


def written(version: int, value: int) -> str:
    return str(ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value))
