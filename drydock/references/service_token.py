"""Drydock's service tokens, for requests to Deckhand and Promenade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session

from drydock.errors import InvalidReference, ReferenceUnavailable
from drydock.references.host_list import Address, HostList
from drydock.tls_refusals import is_refusal, reason

CA_OPTION = "[keystone_authtoken] cafile"


class TokenSource(Protocol):
    def token_for(self, host: str, addresses: Sequence[Address], shown: str) -> str:
        """A token to send to ``host``; ``shown`` names the reference in errors. Raises as ``References.fetch``."""
        ...

    def another(self, refused: str) -> str:
        """A token other than the one that was ``refused``. Raises ``ReferenceUnavailable``."""
        ...


class ServiceTokens:
    """Tokens of a Keystone session, for listed hosts only.

    Otherwise the author of a reference could have the service's token sent to a host of theirs.
    """

    def __init__(self, session: Session, *, hosts: Sequence[str]) -> None:
        self._session = session
        self._hosts = HostList(hosts)

    def token_for(self, host: str, addresses: Sequence[Address], shown: str) -> str:
        if not self._hosts.allows(host, addresses):
            raise InvalidReference(f"{shown}: the service's token is sent only to hosts in [references] token_hosts")
        return self._token()

    def another(self, refused: str) -> str:
        # Another thread may have fetched a new one.
        if self._token() == refused:
            self._session.invalidate()
        return self._token()

    def _token(self) -> str:
        try:
            token: str | None = self._session.get_token()
        except ClientException as exc:
            if is_refusal(exc):
                raise InvalidReference(f"Keystone gave no token: {reason(exc, 'Keystone', option=CA_OPTION)}") from exc
            # NOTE: the library's text shows the address and the request.
            raise ReferenceUnavailable(f"Keystone gave no token: {type(exc).__name__}") from exc
        if token is None:
            raise ReferenceUnavailable("Keystone gave no token")
        return token


class NoTokens:
    """For a Drydock that has no credentials of its own."""

    def token_for(self, host: str, addresses: Sequence[Address], shown: str) -> str:
        raise InvalidReference(f"{shown}: needs a Keystone token, and [keystone_authtoken] has no credentials")

    def another(self, refused: str) -> str:
        raise NotImplementedError
