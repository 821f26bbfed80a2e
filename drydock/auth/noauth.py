"""``NoAuth``: replaces Keystone in development. The token is the name of a role.

    X-Auth-Token: admin | member | reader

Every client can take every role: requests from other than loopback addresses stay unidentified, and the server
refuses to start on an address that is not loopback.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from drydock.auth.headers import environ_key, remove_identity
from drydock.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

#: Token to the roles it stands for, implied ones included as in a Keystone token.
ROLES: Mapping[str, str] = {
    "admin": "admin,manager,member,reader",
    "member": "member,reader",
    "reader": "reader",
}

LOG = logging.getLogger(__name__)


class NoAuth:
    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        LOG.warning(
            "AUTHENTICATION IS OFF ([api] auth_strategy = noauth): every user of this machine may do everything. "
            "Never use this where others can log in, or behind a proxy."
        )

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        remove_identity(environ)
        environ.update(self._identity(environ))
        return self._app(environ, start_response)

    def _identity(self, environ: Mapping[str, Any]) -> dict[str, str]:
        token = environ.get("HTTP_X_AUTH_TOKEN", "")
        if not is_loopback(environ.get("REMOTE_ADDR", "")):
            LOG.warning("noauth does not serve this address", extra={"remote": environ.get("REMOTE_ADDR", "")})
            token = ""
        if token not in ROLES:
            return {environ_key("X-Identity-Status"): "Invalid"}
        return {
            environ_key("X-Identity-Status"): "Confirmed",
            environ_key("X-Roles"): ROLES[token],
            environ_key("X-User-Id"): token,
            environ_key("X-User-Name"): token,
            environ_key("X-Project-Id"): "noauth",
        }


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(address: str) -> bool:
    """True for a loopback address and for the name ``localhost``; other names are not resolved."""
    if address in _LOOPBACK:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def require_loopback(bind_host: str) -> None:
    """Raise ``ConfigurationError`` unless a server without authentication may listen on ``bind_host``."""
    if not is_loopback(bind_host):
        raise ConfigurationError(
            f"[api] auth_strategy = noauth serves loopback addresses only, and bind_host is {bind_host}: "
            "every client would be administrator. Set bind_host to 127.0.0.1"
        )
