"""Removes secrets from log lines: keys of machines, full digests, Keystone tokens."""

from __future__ import annotations

import re

#: Forty hexadecimal digits in a row or more, of which eight are shown: a node's key has 64.
_HEX = re.compile(r"([0-9A-Fa-f]{8})[0-9A-Fa-f]{32,}")
#: Of as many digits, every fourth character is ten in a row. To look at those alone takes a fraction of the time.
_EVERY_FOURTH = re.compile(r"[0-9A-Fa-f]{10}")
#: Fernet and JWS, as Keystone issues them, whole or cut off.
_TOKEN = re.compile(r"(gAAAAA)[\w%=-]{10,}|(eyJ)[\w-]{10,}(?:\.[\w-]+)*", re.ASCII)


def redacted(text: str) -> str:
    """``text`` with long runs of hexadecimal digits cut to their first eight, and without tokens."""
    if _EVERY_FOURTH.search(text[::4]):
        text = _HEX.sub(r"\1…", text)
    if "gAAAAA" in text or "eyJ" in text:
        text = _TOKEN.sub(lambda found: f"{found[1] or found[2]}…", text)
    return text
