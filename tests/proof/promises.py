"""How a promise is checked."""

from __future__ import annotations


class Disproved(AssertionError):
    """A promise was broken."""


def expect(kept: object, promise: str, found: object) -> None:
    """``found``: what says how it was broken. Raises ``Disproved``."""
    if not kept:
        raise Disproved(f"{promise}: {str(found)[:2000]}")
