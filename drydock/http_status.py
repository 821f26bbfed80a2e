"""What a status of HTTP says about trying again."""

from __future__ import annotations

#: Request timeout, and too many requests: the only ones below 500 that every server means that way.
_PASSING = frozenset({408, 429})


def may_pass(status: int) -> bool:
    """Whether the same request may succeed later: the server failed or was busy, and did not refuse it."""
    return status >= 500 or status in _PASSING
