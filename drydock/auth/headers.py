"""The identity headers of a request. Only a layer that has checked a token may set them."""

from __future__ import annotations

from typing import Any

_SCOPES = ("", "Service-")
_PER_SCOPE = (
    "Domain-Id",
    "Domain-Name",
    "Project-Id",
    "Project-Name",
    "Project-Domain-Id",
    "Project-Domain-Name",
    "User-Id",
    "User-Name",
    "User-Domain-Id",
    "User-Domain-Name",
    "Roles",
    "Identity-Status",
)

#: Everything keystonemiddleware sets or removes (a test compares), those of its predecessors included.
IDENTITY_HEADERS: tuple[str, ...] = (
    *(f"X-{scope}{name}" for scope in _SCOPES for name in _PER_SCOPE),
    "X-Is-Admin-Project",
    "X-Service-Catalog",
    "OpenStack-System-Scope",
    "X-Role",
    "X-User",
    "X-Tenant",
    "X-Tenant-Id",
    "X-Tenant-Name",
)


def environ_key(header: str) -> str:
    """A header's name in a WSGI environment."""
    return "HTTP_" + header.upper().replace("-", "_")


_IDENTITY_KEYS = frozenset(environ_key(header) for header in IDENTITY_HEADERS)


def remove_identity(environ: dict[str, Any]) -> None:
    """Remove identity headers that the client sent."""
    if not _IDENTITY_KEYS.isdisjoint(environ):
        for key in _IDENTITY_KEYS & environ.keys():
            del environ[key]
