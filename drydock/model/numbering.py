"""Names for what may be there twice under one name."""

from __future__ import annotations

from collections.abc import Iterable


def numbered(names: Iterable[str]) -> list[str]:
    """The names, in their order; a second of one name is numbered."""
    found: dict[str, None] = {}
    for name in names:
        key, number = name, 1
        while key in found:
            number += 1
            key = f"{name} #{number}"
        found[key] = None
    return list(found)
