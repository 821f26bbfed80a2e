"""References over HTTP: allow-lists, credentials from the URL or Keystone, and bounds on size, time and redirects."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
import urllib3

from drydock.errors import InvalidReference, ReferenceBusy, ReferenceUnavailable, TokenRefused
from drydock.http_status import is_not_yet, may_pass, retry_after
from drydock.references.deadline import DeadlineAdapter
from drydock.references.host_list import Address, AddressList, HostList, resolve
from drydock.references.service_token import TokenSource
from drydock.tls_refusals import is_refusal
from drydock.tls_refusals import reason as tls_reason

MAX_REDIRECTS = 5
_CHUNK = 65536
_CA_OPTION = "[references] ca_file"
#: A fetch may take the connect timeout and this number of read timeouts.
_READ_TIMEOUTS = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class _Target:
    """URL to fetch. ``url`` has no credentials; ``shown`` also no query, which may hold secrets."""

    url: str
    shown: str
    host: str
    addresses: tuple[Address, ...]
    authorization: str | None = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        return "/".join(self.url.split("/", 3)[:3])


class _Session(requests.Session):
    """NOTE: even without following redirects, requests prepares the next one and reads this one's whole body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class HttpFetcher:
    """One session per fetch: fetches are rare, and nothing (cookies, connections) carries over."""

    def __init__(
        self,
        *,
        allowed_schemes: Sequence[str],
        allowed_hosts: Sequence[str],
        allowed_addresses: Sequence[str],
        max_bytes: int,
        connect_timeout: float,
        read_timeout: float,
        ca_file: str | None,
    ) -> None:
        self._schemes = frozenset(allowed_schemes) & {"http", "https"}
        self._hosts = HostList(allowed_hosts)
        self._addresses = AddressList(allowed_addresses)
        self._max_bytes = max_bytes
        self._timeouts = (connect_timeout, read_timeout)
        self._total = connect_timeout + _READ_TIMEOUTS * read_timeout
        self._ca_file = ca_file

    def fetch(self, parts: SplitResult, tokens: TokenSource | None = None, *, seconds: float | None = None) -> bytes:
        """The body of a 200 answer; with ``tokens``, sends a Keystone token, after a 401 a new one. ``seconds``: for
        all of it, if that is less than the timeouts allow.

        Raises as ``References.fetch``.
        """
        ends = math.inf if seconds is None else time.monotonic() + seconds
        target = self._target(parts)
        if tokens is None:
            return self._fetch(target, ends)
        token = tokens.token_for(target.host, target.addresses, target.shown)
        try:
            return self._fetch(replace(target, token=token), ends)
        except TokenRefused:
            return self._fetch(replace(target, token=tokens.another(token)), ends)

    def _fetch(self, target: _Target, ends: float) -> bytes:
        """``ends``: at which monotonic time."""
        total = min(self._total, ends - time.monotonic())
        if total <= 0:
            raise ReferenceUnavailable(f"{target.shown}: no complete answer in time")
        with _Session() as session, DeadlineAdapter(total) as adapter:
            # No proxies and no .netrc from the environment: the options alone decide what is called.
            session.trust_env = False
            session.verify = self._ca_file or True
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            try:
                body = self._follow(session, adapter, target)
                reason = ""
            except (requests.exceptions.InvalidURL, UnicodeError):
                raise InvalidReference(f"{target.shown}: not a URL that can be fetched") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
                if is_refusal(exc):
                    raise InvalidReference(
                        f"{target.shown}: {tls_reason(exc, 'the server', option=_CA_OPTION)}"
                    ) from None
                reason = _reason(exc)
            if adapter.late:
                raise ReferenceUnavailable(f"{target.shown}: no complete answer in {round(total, 1):g} s")
            if reason:
                raise ReferenceUnavailable(f"{target.shown}: {reason}")
            return body

    def _follow(self, session: requests.Session, adapter: DeadlineAdapter, target: _Target) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            adapter.pin(target.host, [str(address) for address in target.addresses])
            with session.get(
                target.url,
                headers={
                    "Accept-Encoding": "identity",
                    "Authorization": target.authorization,
                    "X-Auth-Token": target.token,
                },
                timeout=(min(self._timeouts[0], adapter.seconds), min(self._timeouts[1], adapter.seconds)),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code not in _REDIRECTS:
                    return self._body(response, target)
                target = self._redirected(target, response.headers.get("Location", ""))
        raise InvalidReference(f"{target.shown}: more than {MAX_REDIRECTS} redirects")

    def _redirected(self, target: _Target, location: str) -> _Target:
        """NOTE: no error shows the target: readers of a task may not have access to what a peer answers."""
        try:
            following = self._target(urlsplit(urljoin(target.url, location)), target.shown)
        except ValueError as exc:
            raise InvalidReference(f"{target.shown} redirects to something that is not a URI") from exc
        if following.origin != target.origin:
            return following
        return replace(following, authorization=following.authorization or target.authorization, token=target.token)

    def _target(self, parts: SplitResult, origin: str = "") -> _Target:
        """Checked against the allow-lists, for the reference itself and for each redirect, which errors show as
        ``origin``.
        """
        where = f"{origin} redirects to a " if origin else ""
        try:
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise InvalidReference(f"{where}reference with a port that is not a number") from exc
        scheme = parts.scheme.lower()
        if scheme not in self._schemes:
            enabled = ", ".join(sorted(self._schemes))
            raise InvalidReference(f"{where}scheme that is not enabled for redirects; enabled are: {enabled}")
        if not host:
            raise InvalidReference(f"{where}reference without a host")
        netloc = f"[{host}]" if ":" in host else host
        netloc = netloc if port is None else f"{netloc}:{port}"
        shown = origin or f"{scheme}://{netloc}{parts.path}"
        url = parts._replace(scheme=scheme, netloc=netloc, fragment="").geturl()
        return _Target(url, shown, host, self._checked(host, shown), _basic_auth(parts))

    def _checked(self, host: str, shown: str) -> tuple[Address, ...]:
        """The addresses to connect to. A host that is refused by its name is not resolved."""
        refused = f"{shown}: host is not in the list of allowed hosts"
        if self._hosts.by_name_only and not self._hosts.allows(host, ()):
            raise InvalidReference(refused)
        try:
            addresses = resolve(host)
        except ReferenceUnavailable as exc:
            raise ReferenceUnavailable(f"{shown}: the host cannot be resolved") from exc
        if not self._hosts.allows(host, addresses):
            raise InvalidReference(refused)
        allowed = tuple(address for address in addresses if self._addresses.allows(address))
        if not allowed:
            raise InvalidReference(f"{shown}: the host has no address that is in the list of allowed addresses")
        return allowed

    def _body(self, response: requests.Response, target: _Target) -> bytes:
        status = response.status_code
        if status == 401 and target.token is not None:
            raise TokenRefused(f"{target.shown}: the token was refused (HTTP status 401)")
        if may_pass(status):
            wait = retry_after(response.headers.get("Retry-After"))
            if is_not_yet(status, wait):
                raise ReferenceBusy(f"{target.shown}: HTTP status {status}", look_in=wait)
            raise ReferenceUnavailable(f"{target.shown}: HTTP status {status}")
        if status != 200:
            raise InvalidReference(f"{target.shown}: HTTP status {status}")
        declared = response.headers.get("Content-Length", "")
        body = bytearray()
        if not (declared.isdecimal() and int(declared) > self._max_bytes):
            while chunk := response.raw.read(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._max_bytes:
                    break
            else:
                return bytes(body)
        raise InvalidReference(f"{target.shown}: larger than {self._max_bytes} bytes")


def _basic_auth(parts: SplitResult) -> str | None:
    if "@" not in parts.netloc:
        return None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _reason(exc: Exception) -> str:
    """Not the library's text, which repeats the URL with its query."""
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (requests.exceptions.SSLError, "TLS failed: the server may speak no TLS there, or none that is recent enough"),
        (requests.exceptions.ConnectTimeout, "no connection in time"),
        (requests.exceptions.Timeout, "no answer in time"),
        (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
        (requests.exceptions.ConnectionError, "connection failed"),
    )
    return next((text for kind, text in reasons if isinstance(exc, kind)), "connection broke")
