"""Secrets in sections that are kept: a keyed digest stands for each, which shows a change but not the secret.

``sealed:5f2a90c1:DIGEST``: the key's secret is named, as it may be another one when the sections are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from drydock.design.secrecy import is_secret_name, masked_text
from drydock.keyed_digests import KeyedDigests

Seal = Callable[[str], str]

_SEALED = re.compile(r"sealed:([0-9a-f]{8}):[0-9a-f]{32}")
_is_secret = lru_cache(maxsize=4096)(is_secret_name)


def unchanged(text: str) -> str:
    """Seals nothing: for what is only compared."""
    return text


def keyed_seal(secret: bytes) -> Seal:
    """A digest that cannot be checked against a guess without the secret."""
    digests = KeyedDigests(secret, b"drydock-sections")

    def seal(text: str) -> str:
        return f"sealed:{digests.name}:{digests.of(text.encode('utf-8', 'surrogatepass'))}"

    return seal


def secret_of(sections: Any) -> str | None:
    """The name of the secret that sections were sealed with; None if nothing in them is sealed."""
    if isinstance(sections, str):
        found = _SEALED.search(sections)
        return None if found is None else found[1]
    items = sections.values() if isinstance(sections, Mapping) else sections if isinstance(sections, list) else ()
    return next((name for name in map(secret_of, items) if name is not None), None)


def unsealed(sections: Any) -> Any:
    """A copy in which all digests are alike: for sections whose secret is known no more."""
    if isinstance(sections, str):
        return _SEALED.sub("sealed", sections)
    if isinstance(sections, Mapping):
        return {key: unsealed(item) for key, item in sections.items()}
    return [unsealed(item) for item in sections] if isinstance(sections, list) else sections


def without_secrets(value: Any, seal: Seal) -> Any:
    """A copy of JSON-shaped data in which ``seal`` stands in for what is secret by its name, or within a text."""
    if seal is unchanged:
        return value
    if isinstance(value, Mapping):
        return {
            key: _sealed(item, seal) if _is_secret(str(key)) else without_secrets(item, seal)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(item, seal) for item in value]
    if isinstance(value, str) and (shown := masked_text(value)) != value:
        return f"{shown} {seal(value)}"
    return value


def _sealed(value: Any, seal: Seal) -> Any:
    """Its shape stays."""
    if isinstance(value, Mapping):
        return {key: _sealed(item, seal) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sealed(item, seal) for item in value]
    return value if value is None or isinstance(value, bool) else seal(str(value))
