"""Addresses and networks as numbers: rules look at hundreds of thousands, and ``ipaddress`` builds an object each."""

from __future__ import annotations

import ipaddress
import socket
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
    """(version, number) of an address; None for what is none."""
    try:
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    if ":" not in text:
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


def written(version: int, value: int) -> str:
    return str(ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value))
