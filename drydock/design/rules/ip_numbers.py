"""Addresses and networks as numbers: rules look at hundreds of thousands, and ``ipaddress`` builds an object each."""

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
    """(version, number) of an address; None for what is none, or is one of this machine's interfaces (``%``)."""
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
    """None for a CIDR that rule DD2006 complains about."""
    try:
        cidr = ipaddress.ip_network(network.cidr, strict=False)
    except ValueError:
        return None
    return Span(cidr.version, int(cidr.network_address), int(cidr.broadcast_address))


def is_link_local(address: tuple[int, int]) -> bool:
    """Of IPv6: means something on its own link only, and so may be there on each."""
    return address[0] == 6 and address[1] >> 118 == 0xFE80 >> 6


def identity(address: str, network: str) -> object:
    """The same for all spellings of an address; a link-local one is another on each network."""
    if ":" not in address:
        return address
    value = number(address)
    return address if value is None else (value, network) if is_link_local(value) else value


def are_dual_stack(names: Collection[str], networks: Mapping[str, Network]) -> bool:
    """Whether these are two networks that can share a VLAN: one of IPv4, one of IPv6."""
    spans = [span(networks[name]) for name in names if name in networks]
    return len(names) == 2 and {found.version for found in spans if found is not None} == {4, 6}


def written(version: int, value: int) -> str:
    return str(ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value))
