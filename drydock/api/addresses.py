"""Under which address clients reach this API: the links and locations in its answers start there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

import falcon

#: RFC 3986's host and port, and nothing that could end a header or a string of JSON.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(:\d{1,5})?", re.ASCII)
_PREFIX = re.compile(r"(/[\w.~-]+)+", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Address(NamedTuple):
    """``origin``: scheme, host and port. ``prefix``: the path before ``/api``, without a slash at its end."""

    origin: str
    prefix: str

    def path(self, path: str) -> str:
        """For ``Location`` and ``Link``: relative to the host, as clients have always had it."""
        return self.prefix + path

    def url(self, path: str) -> str:
        """For links in a body, which clients fetch without knowing where the body came from."""
        return self.origin + self.prefix + path


class Addresses:
    """The configured public address or, without one, the address that each request was sent to.

    ``trusted_proxies``: peers whose ``Forwarded`` (RFC 7239) and ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and
    ``-Prefix`` headers count. From any other peer these headers mean nothing.
    """

    def __init__(
        self, public_url: str | None = None, trusted_proxies: Sequence[IPv4Network | IPv6Network] = ()
    ) -> None:
        self._public = None if public_url is None else _split(public_url)
        self._trusted = tuple(trusted_proxies)

    def of(self, req: falcon.Request) -> Address:
        if self._public is not None:
            return self._public
        scheme, host, prefix = req.scheme, req.netloc, req.root_path
        if self._trusted and self._is_trusted(req.remote_addr):
            scheme = (req.forwarded_scheme or scheme).lower()
            host = _first(req.forwarded_host) or host
            port = _first(req.get_header("X-Forwarded-Port"))
            if port and _HOST.fullmatch(f"{host}:{port}") and port != _DEFAULT_PORTS.get(scheme):
                host = f"{host}:{port}"
            prefix = _first(req.get_header("X-Forwarded-Prefix")) or prefix
        prefix = prefix.rstrip("/")
        return Address(
            f"{scheme if scheme in _DEFAULT_PORTS else req.scheme}://{host if _HOST.fullmatch(host) else _server(req)}",
            prefix if _PREFIX.fullmatch(prefix) else "",
        )

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if address.version == 6 else None
        return any((mapped or address) in network for network in self._trusted)


def _split(url: str) -> Address:
    """Of a URL that the configuration's check has let pass."""
    scheme, _, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return Address(f"{scheme}://{host}", slash + path)


def _first(header: str | None) -> str:
    """Proxies in a row append: the first value is the address that the client used."""
    return (header or "").partition(",")[0].strip()


def _server(req: falcon.Request) -> str:
    """The address that we listen on, for a request without a usable ``Host``."""
    host, port = req.env.get("SERVER_NAME", "localhost"), req.env.get("SERVER_PORT", "")
    return f"{f'[{host}]' if ':' in host else host}:{port}" if port else host
