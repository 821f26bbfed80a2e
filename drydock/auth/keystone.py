"""Keystone's answer to "who is this token?", by keystonemiddleware's auth_token with options of our own.

The middleware here only fills in identity headers; every reply comes from the application. Two things are added to it:
an outage is told apart from a bad token (a client renews its token on 401, which is of no use when Keystone is down),
and the token cache is bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import ClientException, ConnectFailure, DiscoveryFailure, RequestTimeout
from keystonemiddleware import auth_token
from oslo_config import cfg

from drydock.auth.token_cache import TokenCache
from drydock.context import IDENTITY_UNAVAILABLE
from drydock.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication

GROUP = "keystone_authtoken"
CACHE_KEY = "drydock.token_cache"
#: Seconds to wait for Keystone, unless configured: the middleware would wait for ever.
CONNECT_TIMEOUT = 10

#: What keystonemiddleware, told to delay decisions, turns into "invalid token".
OUTAGES = (ConnectFailure, DiscoveryFailure, RequestTimeout, auth_token.ServiceError)

LOG = logging.getLogger(__name__)


class _KeystoneOutageError(Exception):
    """Keystone could not say whether a token is good."""


class KeystoneAuth:
    """Confirms the identity of each request by its token, then hands it to ``app``, confirmed or not.

    Raises ``ConfigurationError`` when [keystone_authtoken] does not say how to reach Keystone.
    """

    def __init__(self, app: WSGIApplication, conf: cfg.ConfigOpts) -> None:
        self._app = app
        for group, options in auth_token.list_opts():
            conf.register_opts(options, group=group)
        conf.set_default("http_connect_timeout", CONNECT_TIMEOUT, group=GROUP)
        conf.set_default("http_request_max_retries", 1, group=GROUP)
        # Access rules of application credentials name services by this.
        conf.set_default("service_type", "physicalprovisioner", group=GROUP)
        if not conf[GROUP].auth_type:
            raise ConfigurationError(f"[{GROUP}] auth_type is not set: it says how to ask Keystone about tokens")
        self._cache = TokenCache(size=conf.auth.token_cache_size, seconds=conf.auth.token_cache_seconds)
        self._protocol = _Protocol(
            _confirmed,
            {
                "oslo_config_config": conf,
                "delay_auth_decision": True,
                "include_service_catalog": False,
                "cache": CACHE_KEY,
                "token_cache_time": conf.auth.token_cache_seconds,
            },
        )
        uri = conf[GROUP].www_authenticate_uri or conf[GROUP].get("auth_url") or ""
        self._challenge = ("WWW-Authenticate", f'Keystone uri="{uri}"')

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ[CACHE_KEY] = self._cache
        # NOTE: the middleware never sees the application's reply: it would make Location absolute, and to find its
        # address for WWW-Authenticate it asks Keystone, which may be down.
        self._protocol(environ, _ignored)

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        ) -> Any:
            if status.startswith("401"):
                headers = [*headers, self._challenge]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)


class _Protocol(auth_token.AuthProtocol):  # type: ignore[misc]
    def process_request(self, request: Any) -> None:
        try:
            super().process_request(request)
        except (_KeystoneOutageError, ClientException) as exc:
            LOG.error("Keystone cannot be asked about tokens", extra={"reason": str(exc)})
            request.remove_auth_headers()
            request.environ[IDENTITY_UNAVAILABLE] = True

    def fetch_token(self, token: str, **options: Any) -> Any:
        """Raises ``_KeystoneOutageError`` where the base class says "invalid" although Keystone said nothing."""
        try:
            return super().fetch_token(token, **options)
        except auth_token.InvalidToken as exc:
            if isinstance(exc.__context__, OUTAGES):
                raise _KeystoneOutageError(str(exc)) from exc
            raise


def _confirmed(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """What the middleware takes for the application."""
    start_response("204 No Content", [])
    return ()


def _ignored(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    return None
