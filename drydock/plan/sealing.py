"""Secrets in sections that are kept: a keyed digest stands for each, which shows a change but not the secret."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from drydock.design.secrecy import is_secret_name, masked_text

Seal = Callable[[str], str]

_is_secret = lru_cache(maxsize=4096)(is_secret_name)


def unchanged(text: str) -> str:
    """Seals nothing: for what is only compared."""
    return text


def keyed_seal(secret: bytes) -> Seal:
    """A digest that cannot be checked against a guess without the secret."""
    key = hashlib.blake2b(secret, person=b"drydock-sections"[:16]).digest()

    def seal(text: str) -> str:
        return "sealed:" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=16).hexdigest()

    return seal


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
