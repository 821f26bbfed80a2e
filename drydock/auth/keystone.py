"""Validates tokens with keystonemiddleware's auth_token, with options of our own.

The middleware only sets identity headers; every reply comes from the application. Added to it:
an outage is distinguished from a bad token (a client renews its token on 401, which does not help in an outage),
the token cache is bounded, and exceptions reach the application, which answers them like its own.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import ClientException, ConnectFailure, DiscoveryFailure, RequestTimeout
from keystonemiddleware import auth_token
from oslo_config import cfg
from requests import RequestException

from drydock.auth.headers import remove_identity
from drydock.auth.options import GROUP, SERVICE_TYPE, plugin_group, register
from drydock.auth.outage import SLOW_SECONDS, Outage
from drydock.auth.token_cache import GuardedCache, TokenCache
from drydock.context import AUTHENTICATION_FAILED, IDENTITY_UNAVAILABLE
from drydock.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication

CACHE_KEY = "drydock.token_cache"

#: Exceptions that keystonemiddleware, with delay_auth_decision, turns into "invalid token".
OUTAGES = (ConnectFailure, DiscoveryFailure, RequestTimeout, auth_token.ServiceError)
#: Raised when an answer has another shape than expected.
_NO_TOKEN = (AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
#: Text that cannot be a token is refused without a request to Keystone.
_TOKEN = re.compile(r"\s*[\x21-\x7e]{1,8192}\s*")
_TOKENS = ("HTTP_X_AUTH_TOKEN", "HTTP_X_STORAGE_TOKEN", "HTTP_X_SERVICE_TOKEN")

LOG = logging.getLogger(__name__)


class _KeystoneOutageError(Exception):
    """Keystone could not validate a token."""


class KeystoneAuth:
    """Confirms the identity of each request by its token, then hands it to ``app``, confirmed or not.

    Raises ``ConfigurationError`` when [keystone_authtoken] is incomplete.
    """

    def __init__(self, app: WSGIApplication, conf: cfg.ConfigOpts) -> None:
        self._app = app
        register(conf)
        section = conf[plugin_group(conf)]
        if not section.auth_type:
            raise ConfigurationError(f"[{GROUP}] auth_type is not set: set it, for example to password")
        self._cache = TokenCache(size=conf.auth.token_cache_size, seconds=conf.auth.token_cache_seconds)
        self._outage = Outage()
        self._guarded = GuardedCache(self._cache, self._refuse_while_down, self._outage.ended)
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
        uri = conf[GROUP].www_authenticate_uri or section.get("auth_url") or ""
        self._challenge = ("WWW-Authenticate", f'Keystone uri="{uri}"')

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self._identify(environ)

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        ) -> Any:
            if status.startswith("401"):
                headers = [*headers, self._challenge]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)

    def _identify(self, environ: dict[str, Any]) -> None:
        """Set the identity headers, or record in ``environ`` why they are missing."""
        if not all(_TOKEN.fullmatch(environ[name]) for name in _TOKENS if name in environ):
            remove_identity(environ)
            return
        environ[CACHE_KEY] = self._guarded
        asked = time.monotonic()
        try:
            # NOTE: the middleware never sees the application's reply: it would make Location absolute, and to find
            # its address for WWW-Authenticate it queries Keystone, which may be down.
            self._protocol(environ, _ignored)
        except (_KeystoneOutageError, ClientException, RequestException) as exc:
            LOG.error("Keystone cannot be asked about tokens", extra={"reason": str(exc)})
            self._outage.failed(asked, time.monotonic())
            if isinstance(exc, _KeystoneAnswerError):
                self._cache.clear()
            remove_identity(environ)
            environ[IDENTITY_UNAVAILABLE] = True
        except Exception as exc:  # noqa: BLE001 - not swallowed: the application raises it again, where errors are answered
            remove_identity(environ)
            environ[AUTHENTICATION_FAILED] = exc
        else:
            if environ.get("HTTP_X_IDENTITY_STATUS") == "Invalid" and "HTTP_X_AUTH_TOKEN" in environ:
                self._outage.ended()

    def _refuse_while_down(self) -> None:
        """Requests with uncached tokens must not all wait for a hanging Keystone: machines need threads."""
        if not self._outage.may_ask(time.monotonic()):
            raise _KeystoneOutageError("it did not answer a moment ago")


class _KeystoneAnswerError(_KeystoneOutageError):
    """Keystone, or a proxy in front of it, answered with something else than a token."""


class _Protocol(auth_token.AuthProtocol):  # type: ignore[misc]
    def fetch_token(self, token: str, **options: Any) -> Any:
        """Raises ``_KeystoneOutageError`` where the base class reports "invalid" without an answer of Keystone."""
        asked = time.monotonic()
        try:
            try:
                data = super().fetch_token(token, **options)
            except auth_token.InvalidToken as exc:
                # The kept-alive connection was closed, for example by a restart of Keystone.
                if not isinstance(exc.__context__, ConnectFailure) or time.monotonic() - asked >= SLOW_SECONDS:
                    raise
                data = super().fetch_token(token, **options)
        except auth_token.InvalidToken as exc:
            if isinstance(exc.__context__, OUTAGES):
                raise _KeystoneOutageError(str(exc)) from exc
            raise
        except _NO_TOKEN as exc:
            raise _KeystoneAnswerError("what it answered is no token") from exc
        found = data.get("token") if isinstance(data, dict) else None
        if not isinstance(found, dict) or not {"expires_at", "methods", "user"} <= found.keys():
            raise _KeystoneAnswerError("what it answered is no token")
        return data

    def validate_allowed_request(self, request: Any, token: dict[str, Any]) -> None:
        """Check the request against the access rules of an application credential.

        The base class first looks for a service of our type in the token's catalog. Catalogs are large and not
        requested, and the type is known without them.
        """
        super().validate_allowed_request(request, {"catalog": [{"type": SERVICE_TYPE}], **token})


def _confirmed(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Stands in for the application behind the middleware."""
    start_response("204 No Content", [])
    return ()


def _ignored(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    return None
