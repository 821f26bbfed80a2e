"""Design and asset references: one handler per URI scheme, each within its limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

from drydock.design.file_reference import FileFetcher
from drydock.design.http_reference import HttpFetcher
from drydock.errors import ConfigurationError, InvalidReference

MAX_LENGTH = 8192
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


class References:
    """Fetches what a URI names. Safe to share between threads; remembers nothing, so no failure is ever kept."""

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
        ca_file: str | None = None,
    ) -> None:
        """``allowed_hosts``: names, ``*.suffix``, addresses, CIDRs, or ``*`` for any. ``file_roots``: where files
        may lie. ``connect_timeout`` and ``read_timeout`` in seconds; a whole fetch may take the first and four times
        the second, however slowly the bytes drip. ``ca_file``: the certificates to trust instead of the usual ones.
        ``read_snapshot`` gives an uploaded design by its SHA-256 or raises ``DesignNotFound``.

        Raises ``ConfigurationError`` for a scheme nobody handles.
        """
        schemes = tuple(dict.fromkeys(scheme.lower() for scheme in allowed_schemes))
        http = HttpFetcher(
            allowed_schemes=schemes,
            allowed_hosts=allowed_hosts,
            max_bytes=max_bytes,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            ca_file=ca_file,
        )
        files = FileFetcher(file_roots, max_bytes=max_bytes)
        handlers: Mapping[str, Callable[[SplitResult], bytes]] = {
            "file": files.fetch,
            "http": http.fetch,
            "https": http.fetch,
            "drydock": self._snapshot,
        }
        unknown = [scheme for scheme in schemes if scheme not in handlers]
        if unknown:
            raise ConfigurationError(f"unknown reference schemes {', '.join(unknown)}; known: {', '.join(handlers)}")
        self._handlers = {scheme: handlers[scheme] for scheme in schemes}
        self._read_snapshot = read_snapshot

    def fetch(self, uri: str) -> bytes:
        """The bytes a URI names.

        Raises ``InvalidReference`` if it can never work, ``ReferenceUnavailable`` if it may work later,
        ``DesignNotFound`` for a snapshot that does not exist.
        """
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
        return handler(parts)

    def _snapshot(self, parts: SplitResult) -> bytes:
        digest = parts.path.removeprefix("/")
        if parts.netloc != "designs" or not _DIGEST.fullmatch(digest):
            raise InvalidReference("a drydock reference is drydock://designs/ and 64 hexadecimal digits")
        return self._read_snapshot(digest.lower())
