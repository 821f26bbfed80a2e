"""Resolves references without a server: from files, or by fetching them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from drydock.client import Credentials
from drydock.client.errors import NotConfigured
from drydock.errors import DesignNotFound, InvalidReference
from drydock.references.references import SERVICE_SCHEMES, References, reference_retries
from drydock.references.service_token import ServiceTokens

Fetch = Callable[[str], bytes]


class Answers:
    """Resolves references from files, all others by ``otherwise``."""

    def __init__(self, given: Sequence[str], otherwise: Fetch) -> None:
        self._exact: dict[str, Path] = {}
        self._starts: dict[str, Path] = {}
        self._otherwise = otherwise
        for item in given:
            # Split at the last =: URLs have = in their queries, file names hardly ever.
            url, found, name = item.rpartition("=")
            if not found or not url or not name:
                raise click.BadParameter(f"{item} is not URL=FILE", param_hint="--reference")
            if not Path(name).is_file():
                raise click.BadParameter(f"{name} is not a file", param_hint="--reference")
            if url.endswith("*"):
                self._starts[url[:-1]] = Path(name)
            else:
                self._exact[url] = Path(name)

    def __call__(self, url: str) -> bytes:
        for name in (url, _anonymous(url)):
            if name in self._exact:
                return self._exact[name].read_bytes()
            starts = [start for start in self._starts if name.startswith(start)]
            if starts:
                return self._starts[max(starts, key=len)].read_bytes()
        return self._otherwise(url)


def _anonymous(url: str) -> str:
    """Without user and password, so that --reference need not repeat them."""
    scheme, found, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{found}{authority.rpartition('@')[2]}{slash}{path}"


def refuse(url: str) -> bytes:
    """The message may end up in a CI log: no credentials, and no query, which may hold some."""
    shown, query, _ = _anonymous(url).partition("?")
    hint = f"provide it with --reference '{shown}{'*' if query else ''}=FILE', or fetch it with --fetch"
    raise InvalidReference(f"{shown}: {hint}")


def fetcher(credentials: Credentials) -> Fetch:
    """Fetches from any host: users can only reach what they can reach anyway."""

    def no_snapshot(digest: str) -> bytes:
        raise DesignNotFound(f"drydock://designs/{digest}: no server to fetch it from; provide it with --reference")

    def fetch(url: str) -> bytes:
        service = url.partition("://")[0].lower() in SERVICE_SCHEMES
        return References(
            allowed_schemes=["file", "http", "https", "drydock", *SERVICE_SCHEMES],
            allowed_hosts=["*"],
            file_roots=["/"],
            max_bytes=64 * 1024 * 1024,
            connect_timeout=10.0,
            read_timeout=60.0,
            read_snapshot=no_snapshot,
            allowed_addresses=["*"],
            cache=None,
            ca_file=credentials.ca_certificate,
            tokens=_tokens(credentials) if service else None,
            retries=reference_retries(times=2, pause=0.5),
        ).fetch(url)

    return fetch


def _tokens(credentials: Credentials) -> ServiceTokens:
    try:
        return ServiceTokens(credentials.session(), hosts=["*"])
    except NotConfigured:
        text = "a reference to Deckhand or Promenade is fetched with a token: source an openrc file (OS_AUTH_URL, ...)"
        raise InvalidReference(text) from None
