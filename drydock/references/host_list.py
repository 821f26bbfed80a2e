"""Allow-lists of hosts and addresses for references."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from drydock.errors import ConfigurationError, ReferenceUnavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACKS = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
#: IPv4-compatible addresses, and those of NAT64 (RFC 6052, RFC 8215), which end in an IPv4 address.
_TRANSLATED = tuple(ipaddress.IPv6Network(text) for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48"))


class HostList:
    """Names, ``*.suffix`` for all names below a domain, addresses and CIDRs. ``*`` allows all, an empty list none."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Raises ``ConfigurationError`` for an invalid CIDR."""
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[_Network] = []
        self.everybody = "*" in entries
        for entry in (entry.strip().lower() for entry in entries):
            network = _network(entry)
            if network is not None:
                self._networks.append(network)
            elif entry.startswith("*."):
                self._suffixes.append(entry[1:])
            else:
                self._names.add(entry.rstrip("."))

    @property
    def by_name_only(self) -> bool:
        return not self._networks

    def allows(self, host: str, addresses: Sequence[Address]) -> bool:
        """A name that is not listed is allowed if all its ``addresses`` are in the listed CIDRs."""
        name = host.lower().rstrip(".")
        if self.everybody or name in self._names or any(name.endswith(suffix) for suffix in self._suffixes):
            return True
        return bool(addresses) and all(any(address in network for network in self._networks) for address in addresses)


class AddressList:
    """Addresses and CIDRs; ``*`` allows all, ``!`` before one forbids it, which wins.

    An address that leads to a forbidden one is forbidden too, see ``leads_to``.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        """Raises ``ConfigurationError`` for an invalid entry."""
        self._any = "*" in entries
        self._allowed = [_required(entry) for entry in entries if entry != "*" and not entry.startswith("!")]
        self._forbidden = [_required(entry[1:]) for entry in entries if entry.startswith("!")]

    def allows(self, address: Address) -> bool:
        if any(end in network for end in leads_to(address) for network in self._forbidden):
            return False
        return self._any or any(address in network for network in self._allowed)


def resolve(host: str) -> tuple[Address, ...]:
    """The addresses of a name; an address is returned unchanged. Raises ``ReferenceUnavailable``."""
    try:
        return (_plain(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise ReferenceUnavailable(f"host {host:.300} cannot be resolved") from exc
    return tuple(dict.fromkeys(_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found))


def leads_to(address: Address) -> frozenset[Address]:
    """The addresses at which a connection may end: this one, an IPv4 address embedded in it, and for
    loopback and unspecified addresses both loopback addresses, which are the same machine.
    """
    found: set[Address] = {address, _plain(address)}
    if isinstance(address, ipaddress.IPv6Address):
        found.update(_embedded(address))
    if any(end.is_loopback or end.is_unspecified for end in found):
        found.update(_LOOPBACKS)
    return frozenset(found)


def _embedded(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    last = int(address) & 0xFFFF_FFFF
    isatap = int(address) >> 32 & 0xFCFF_FFFF == 0x5EFE
    if isatap or any(address in network for network in _TRANSLATED):
        yield ipaddress.IPv4Address(last)


def _plain(address: Address) -> Address:
    """An IPv4-mapped IPv6 address as its IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _required(entry: str) -> _Network:
    try:
        return ipaddress.ip_network(entry.strip(), strict=False)
    except ValueError as exc:
        raise ConfigurationError(f"allowed address {entry} is neither an address nor a CIDR") from exc


def _network(entry: str) -> _Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError as exc:
        if "/" in entry:
            raise ConfigurationError(f"allowed host {entry} is neither a name nor a CIDR") from exc
        return None
