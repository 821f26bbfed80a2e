"""HTTP for the client: finds the API, sends the token, retries, and converts errors.

keystoneauth renews an expired token and repeats the request. Broken connections and 503 are retried, since a call of
this client may be repeated after its answer was lost: creating a task has an idempotency key. A call that would mean
something else the second time is sent ``once``: again only if no connection was made. A request that is not answered
within half a minute is not retried.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from urllib3 import exceptions as urllib3_errors

from drydock import __version__
from drydock.client import errors

T = TypeVar("T")

SERVICE_TYPE = "physicalprovisioner"
API_PREFIX = "/api/v1.0"
GAVE_UP = "gave no answer in time"
UNKNOWN = "; it is not known whether the request took effect"
#: Seconds before a request is sent again.
PAUSES = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to connect, to wait for a reply, and until a request without a reply is reported as slow."""

    connect: float = 10.0
    read: float = 30.0
    slow: float = 5.0


PATIENCE = Patience()


class Connection:
    """Requests to one Drydock over any keystoneauth session or adapter.

    ``endpoint`` overrides the service catalogue; it may be the root (``http://host:9000``) or the API itself.
    Repeats a request ``retries`` times (at most 3) if the connection fails or the answer is 503, with pauses from half
    a second on. ``on_slow``: see ``DrydockClient``.
    """

    def __init__(
        self,
        session: Session | Adapter,
        *,
        endpoint: str | None = None,
        interface: str | None = None,
        region_name: str | None = None,
        headers: Mapping[str, str] | None = None,
        retries: int = 3,
        on_slow: Callable[[str], None] | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        adapter = session if isinstance(session, Adapter) else Adapter(session)
        self._adapter = Adapter(
            adapter.session,
            auth=adapter.auth,
            service_type=adapter.service_type or SERVICE_TYPE,
            interface=interface or adapter.interface or "public",
            region_name=region_name or adapter.region_name,
            endpoint_override=endpoint or adapter.endpoint_override,
            additional_headers={**adapter.additional_headers, **(headers or {})},
            client_name="drydock",
            client_version=__version__,
            connect_retries=0,
            status_code_retries=retries,
            raise_exc=False,
        )
        self._auth = adapter.auth or adapter.session.auth
        self._pauses = PAUSES[:retries]
        self._on_slow = on_slow
        self._patience = patience
        self._root: str | None = None

    def root(self) -> str:
        """The service's URL without ``/api/v1.0`` and without a trailing slash."""
        if self._root is None:
            try:
                with self._slow_notice(self._keystone()):
                    endpoint = self._adapter.get_endpoint()
            except (keystone_errors.EmptyCatalog, keystone_errors.EndpointNotFound):
                endpoint = None
            except keystone_errors.ClientException as exc:
                raise _from_keystone(exc) from exc
            if not endpoint:
                raise errors.AuthenticationFailed(
                    f"Keystone's catalogue has no endpoint of type {self._adapter.service_type} for this project"
                )
            self._root = service_root(endpoint)
        return self._root

    def request(
        self, method: str, path: str, *, wait: float = 0, working: float = 0, once: bool = False, **arguments: Any
    ) -> requests.Response:
        """One call; returns replies of any status. ``path`` starts at the service's root.

        The timeout is longer by ``wait``, the seconds that the server may hold its answer, and ``working``, the seconds
        it may need to compute it. ``once``: not repeated if the server may have it. Raises ConnectionFailed,
        AuthenticationFailed.
        """
        root = self.root()
        unknown = "" if method in {"GET", "HEAD"} else UNKNOWN
        if once:
            arguments["status_code_retries"] = 0
        try:
            if arguments.get("authenticated", True) and self._auth is not None:
                with self._slow_notice(self._keystone()):
                    self._retried(self._adapter.get_token)
            with self._slow_notice(f"Drydock at {root}", wait):
                timeout = (self._patience.connect, self._patience.read + wait + working)
                return self._retried(
                    lambda: self._adapter.request(root + path, method, timeout=timeout, **arguments), once=once
                )
        except keystone_errors.ConnectTimeout as exc:
            raise errors.ConnectionFailed(f"{_address(exc, root)} {GAVE_UP}{unknown}") from exc
        except keystone_errors.ConnectFailure as exc:
            error = _from_keystone(exc)
            raise error if _unsent(exc) else errors.ConnectionFailed(f"{error}{unknown}") from exc
        except keystone_errors.ClientException as exc:
            raise _from_keystone(exc) from exc

    def _retried(self, ask: Callable[[], T], *, once: bool = False) -> T:
        for pause in self._pauses:
            try:
                return ask()
            except keystone_errors.ConnectFailure as exc:
                if once and not _unsent(exc):
                    raise
                time.sleep(pause)
        return ask()

    def _keystone(self) -> str:
        return f"Keystone at {getattr(self._auth, 'auth_url', None) or 'its address'}"

    @contextmanager
    def _slow_notice(self, what: str, wait: float = 0) -> Iterator[None]:
        """Calls ``on_slow`` if the body takes long."""
        if self._on_slow is None:
            yield
            return
        timer = threading.Timer(self._patience.slow + wait, self._on_slow, (f"waiting for {what}",))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """One call to the API that must succeed. ``path`` is relative to ``/api/v1.0``. Raises ClientError."""
        response = self.request(method, API_PREFIX + path, **arguments)
        if response.status_code >= 400:
            raise errors.reply_error(response)
        return response


def service_root(endpoint: str) -> str:
    """``http://host:9000`` from an endpoint with or without ``/api``, ``/api/v1.0`` and slashes."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise errors.NotConfigured(f"{endpoint!r} is not the URL of a service: it should look like http://host:9000")
    path = re.sub(r"/api(/v[\d.]+)?/*$", "", parts.path.rstrip("/") + "/")
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def json_of(response: requests.Response) -> Any:
    """The JSON of a reply. Raises UnexpectedReply."""
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError as exc:
        raise errors.UnexpectedReply(
            f"{response.url} answered {response.status_code} without JSON: check that this is the URL of Drydock"
        ) from exc


def _from_keystone(exc: keystone_errors.ClientException) -> errors.ClientError:
    """keystoneauth's error as one of ours, without the request URLs and Python names of its text."""
    chain = list(_chain(exc))
    # NOTE: a Keystone that is away during discovery shows as DiscoveryFailure, with the connection's error below.
    refused = next((link for link in chain if isinstance(link, keystone_errors.ConnectionError)), None)
    if refused is not None:
        where = _address(refused, "the service")
        if isinstance(refused, keystone_errors.ConnectTimeout):
            return errors.ConnectionFailed(f"{where} {GAVE_UP}")
        return errors.ConnectionFailed(f"cannot reach {where}: {_words(chain[-1])}")
    if isinstance(exc, keystone_errors.HttpError):
        return errors.AuthenticationFailed(f"Keystone refused: {exc.message}")
    return errors.AuthenticationFailed(str(exc))


def _unsent(exc: BaseException) -> bool:
    """No connection was made."""
    return any(isinstance(link, urllib3_errors.NewConnectionError) for link in _chain(exc))


def _chain(exc: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exc
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _address(exc: BaseException, otherwise: str) -> str:
    """Scheme, host and port of the failed request, if the error has them."""
    found = re.search(r"https?://[^/\s]+", str(exc))
    return found.group().rstrip(":") if found else otherwise


def _words(innermost: BaseException) -> str:
    """The operating system's message if there is one."""
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return str(innermost) or type(innermost).__name__
