"""Design and asset references: one handler per URI scheme, each within its limits."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

from drydock.errors import ConfigurationError, InvalidReference, ReferenceBusy, ReferenceUnavailable
from drydock.references.file_reference import FileFetcher
from drydock.references.http_reference import HttpFetcher
from drydock.references.reference_cache import ReferenceCache
from drydock.references.service_token import NoTokens, TokenSource
from drydock.retrying import Pauses, Retries

MAX_LENGTH = 8192
#: References that are asked for with a Keystone token of the service.
SERVICE_SCHEMES = ("deckhand+http", "deckhand+https", "promenade+http", "promenade+https")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_Handler = Callable[[SplitResult, float | None], bytes]


def reference_retries(*, times: int, pause: float, wait: Callable[[float], None] = time.sleep) -> Retries:
    """Up to ``times`` more attempts, ``pause`` seconds before the first and twice as long before each next.

    A busy server is left alone: the caller knows how long to wait.
    """
    pauses = Pauses(pause, longest=math.inf, spread=0)
    return Retries(ReferenceUnavailable, pauses, but=(ReferenceBusy,), times=times, wait=wait)


class References:
    """Fetches what a URI names, for designs and assets alike. Safe to share between threads.

    HTTP answers may be cached unless ``present`` is set, failures never; files and
    uploaded designs are read each time.
    """

    def __init__(
        self,
        *,
        allowed_schemes: Sequence[str],
        allowed_hosts: Sequence[str],
        file_roots: Sequence[str],
        max_bytes: int,
        connect_timeout: float,
        read_timeout: float,
        read_snapshot: Callable[[str], bytes],
        ca_file: str | None,
        allowed_addresses: Sequence[str],
        tokens: TokenSource | None,
        retries: Retries | None,
        cache: ReferenceCache | None,
    ) -> None:
        """``allowed_hosts``: names, ``*.suffix``, addresses, CIDRs, or ``*`` for any. ``file_roots``: where files
        may be. ``connect_timeout`` and ``read_timeout`` in seconds; a whole fetch may take the first and four times
        the second. ``ca_file``: the certificates to trust instead of the default ones.
        ``allowed_addresses``: addresses and CIDRs to which connections may be made, ``!`` forbids one. ``tokens``: for
        the schemes that send a service token. Without ``retries`` a fetch is tried once, without ``cache`` each time.
        ``read_snapshot`` gives an uploaded design by its SHA-256 or raises ``DesignNotFound``.

        Raises ``ConfigurationError`` for an unknown scheme.
        """
        schemes = tuple(dict.fromkeys(scheme.lower() for scheme in allowed_schemes))
        http = HttpFetcher(
            allowed_schemes=[scheme.rpartition("+")[2] for scheme in schemes],
            allowed_hosts=allowed_hosts,
            allowed_addresses=allowed_addresses,
            max_bytes=max_bytes,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            ca_file=ca_file,
        )
        files = FileFetcher(file_roots, max_bytes=max_bytes)
        self._tokens = tokens or NoTokens()
        self._http = http
        handlers: Mapping[str, _Handler] = {
            "file": lambda parts, _: files.fetch(parts),
            "http": self._plain,
            "https": self._plain,
            "drydock": self._snapshot,
            **dict.fromkeys(SERVICE_SCHEMES, self._service),
        }
        unknown = [scheme for scheme in schemes if scheme not in handlers]
        if unknown:
            raise ConfigurationError(f"unknown reference schemes {', '.join(unknown)}; known: {', '.join(handlers)}")
        self._handlers = {scheme: handlers[scheme] for scheme in schemes}
        self._read_snapshot = read_snapshot
        self._retries = retries or reference_retries(times=0, pause=0)
        self._cache = cache or ReferenceCache(seconds=0, max_bytes=0)

    def fetch(self, uri: str, *, present: bool = False) -> bytes:
        """The bytes a URI names; with ``present`` never from the cache.

        Raises ``InvalidReference`` if it can never work, ``ReferenceUnavailable`` if it may work later,
        ``DesignNotFound`` for a snapshot that does not exist.
        """
        parts, handler = self._handled(uri)
        if parts.scheme.lower() in ("file", "drydock"):
            return handler(parts, None)
        if present:
            return self._retries.run(lambda: handler(parts, None))
        return self._cache.fetch(uri.strip(), lambda: self._retries.run(lambda: handler(parts, None)))

    def fetch_within(self, uri: str, seconds: float) -> bytes:
        """The bytes a URI names, from no cache, in one attempt. A request over HTTP ends after ``seconds``.

        Raises as ``fetch``.
        """
        parts, handler = self._handled(uri)
        return handler(parts, seconds)

    def _handled(self, uri: str) -> tuple[SplitResult, _Handler]:
        """Raises ``InvalidReference``."""
        if len(uri) > MAX_LENGTH:
            raise InvalidReference(f"reference longer than {MAX_LENGTH} characters")
        if any(ord(character) < 32 or ord(character) == 127 for character in uri.strip()):
            raise InvalidReference("reference with control characters")
        try:
            parts = urlsplit(uri.strip())
        except ValueError as exc:
            raise InvalidReference("reference is not a URI") from exc
        handler = self._handlers.get(parts.scheme.lower())
        if handler is None:
            enabled = ", ".join(self._handlers) or "none"
            raise InvalidReference(f"reference scheme {parts.scheme[:40]!r} is not enabled; enabled are: {enabled}")
        return parts, handler

    def _plain(self, parts: SplitResult, seconds: float | None) -> bytes:
        return self._http.fetch(parts, seconds=seconds)

    def _service(self, parts: SplitResult, seconds: float | None) -> bytes:
        """``deckhand+https://…`` is ``https://…``, requested with the service's token."""
        return self._http.fetch(parts._replace(scheme=parts.scheme.partition("+")[2]), self._tokens, seconds=seconds)

    def _snapshot(self, parts: SplitResult, seconds: float | None) -> bytes:
        digest = parts.path.removeprefix("/")
        if parts.netloc != "designs" or not _DIGEST.fullmatch(digest):
            raise InvalidReference("a drydock reference is drydock://designs/ and 64 hexadecimal digits")
        return self._read_snapshot(digest.lower())
