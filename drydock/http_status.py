"""What an answer of HTTP says about trying again: one rule for all clients.

Never: a refusal. Later: the server failed, which counts as an attempt. Not yet: it is there and busy; nothing failed.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Request timeout, and too many requests: the only ones below 500 that every server means that way.
_PASSING = frozenset({408, 429})
#: Too many requests.
_NOT_YET = frozenset({429})
#: The longest that a server is left alone at its word, in seconds.
LONGEST_WAIT = 300.0


def may_pass(status: int) -> bool:
    """Whether the same request may succeed later: the server failed or was busy, and did not refuse it."""
    return status >= 500 or status in _PASSING


def is_not_yet(status: int, wait: float | None, *, also: frozenset[int] = frozenset()) -> bool:
    """Whether the server is only busy. ``wait``: as ``retry_after``. ``also``: what this kind of server means so."""
    return status in _NOT_YET or status in also or (may_pass(status) and wait is not None)


def retry_after(value: str | None) -> float | None:
    """The seconds that a header ``Retry-After`` asks for, up to ``LONGEST_WAIT``; None without or if malformed."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        # Of a long number only its length matters.
        return LONGEST_WAIT if len(text) > 9 else min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return math.ceil(min(max(seconds, 0.0), LONGEST_WAIT))
