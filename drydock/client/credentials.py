"""Credentials of an operator (OS_* variables, or a URL and a token) and their keystoneauth session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keystoneauth1.session import Session


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Drydock's URL and the user's credentials. No repr, which would show the token.

    With a ``token`` it needs ``url``; else the OS_* variables of ``environ`` name Keystone and the user; else, with
    ``url`` alone, requests go without authentication. ``ca_certificate`` is a file; ``verify`` false trusts anyone.
    """

    environ: Mapping[str, str]
    url: str | None = None
    token: str | None = None
    ca_certificate: str | None = None
    verify: bool = True

    def session(self) -> Session:
        """A session for these credentials; sends nothing yet. Raises NotConfigured."""
        from drydock.client.plugins import make_session  # keystoneauth takes long to load

        verify = (self.ca_certificate or True) if self.verify else False
        return make_session(self.environ, url=self.url, token=self.token, verify=verify)
