"""Links from messages to the documentation, which has a section for each code and rule."""

from __future__ import annotations

PAGE = "docs/reference/design-rules.md"


def doc_link(code: str, rule: str) -> str:
    return f"See {PAGE}#{anchor(code, rule)}"


def anchor(code: str, rule: str) -> str:
    """The anchor that Markdown renderers make of the heading ``DD2003 storage-sizing``."""
    return f"{code}-{rule}".lower()
