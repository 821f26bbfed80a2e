"""Which values of a design are secret, and what readers are shown instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "<hidden>"
#: Keys of a node's ``oob`` that are shown; any other may be a credential of an unknown driver.
SHOWN_OOB = frozenset({"type", "network", "account", "endpoint", "system", "verify_tls", "timeout", "address", "port"})

_NAMES = (
    r"pass(?:wd|word|phrase|code)?s?|pwd|credentials?|secrets?|tokens?|community|"
    r"(?:private|secret|api|access|auth|account|encryption|signing|shared|psk|luks|join|host)[_.-]?keys?|psk"
)
_NAME = re.compile(rf"(?:^|[^a-zA-Z0-9])(?:{_NAMES})(?:[^a-zA-Z0-9]|$)", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: Endings of names of secrets: adminpassword, mysecret.
_TAIL = re.compile(r"(?:passw(?:or)?d|passphrase|credentials?|secret|token|apikey)s?$", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@(?=[^\s])")
_WORD = re.compile(r"([\w.$-]{1,100})(=|:[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|[^\s&'\",;]+)")


def is_secret_name(name: str) -> bool:
    """True if a value of this name is probably a password, a token or a private key."""
    words = _CAMEL.sub("_", name[:200])
    return name.lower() == "pin" or _NAME.search(words) is not None or _TAIL.search(words) is not None


def without_password(url: str) -> str:
    """A URL without its user and password."""
    return _USER.sub(f"{HIDDEN}@", url) if "://" in url and "@" in url else url


def masked_text(text: str) -> str:
    """A text without the passwords of its URLs, and without values after a secret name and ``=`` or ``:``."""
    if "=" in text or ":" in text:
        text = _WORD.sub(lambda found: found[1] + found[2] + HIDDEN if is_secret_name(found[1]) else found[0], text)
    return without_password(text)


def masked(value: Any) -> Any:
    """A copy of JSON-shaped data without its secrets."""
    if isinstance(value, Mapping):
        return {key: _hidden(item) if is_secret_name(str(key)) else masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return masked_text(value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    """Masks all values; keeps the shape."""
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if value is None or isinstance(value, bool) else HIDDEN
