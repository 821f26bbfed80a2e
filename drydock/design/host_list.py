"""Which hosts references may lead to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence

from drydock.errors import ConfigurationError, ReferenceUnavailable

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostList:
    """Names, ``*.suffix`` for all names below a domain, addresses and CIDRs. ``*`` allows all, an empty list none."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Raises ``ConfigurationError`` for a CIDR that is none."""
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[_Network] = []
        self._any = "*" in entries
        for entry in (entry.strip().lower() for entry in entries):
            network = _network(entry)
            if network is not None:
                self._networks.append(network)
            elif entry.startswith("*."):
                self._suffixes.append(entry[1:])
            else:
                self._names.add(entry.rstrip("."))

    def allows(self, host: str) -> bool:
        """A name that is not listed is resolved if CIDRs are: all its addresses must be in them.

        Raises ``ReferenceUnavailable`` if the name cannot be resolved.
        """
        name = host.lower().rstrip(".")
        if self._any or name in self._names or any(name.endswith(suffix) for suffix in self._suffixes):
            return True
        if not self._networks:
            return False
        addresses = list(_addresses(name))
        return bool(addresses) and all(any(address in network for network in self._networks) for address in addresses)


def _network(entry: str) -> _Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError as exc:
        if "/" in entry:
            raise ConfigurationError(f"allowed host {entry} is neither a name nor a CIDR") from exc
        return None


def _addresses(host: str) -> Iterable[_Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise ReferenceUnavailable(f"host {host} cannot be resolved") from exc
    return [ipaddress.ip_address(entry[4][0]) for entry in found]
