"""Where a message's reader finds more: each code and rule has a section in the documentation."""

from __future__ import annotations

PAGE = "docs/reference/design-rules.md"


def read_on(code: str, rule: str) -> str:
    return f"See {PAGE}#{anchor(code, rule)}"


def anchor(code: str, rule: str) -> str:
    """As renderers make it of the heading ``DD2003 storage-sizing``."""
    return f"{code}-{rule}".lower()
