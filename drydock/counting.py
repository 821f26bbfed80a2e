"""Numbers of things in messages."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """``1 node``, ``2 nodes``. ``many``: of more than one or none, if it is not ``one`` and an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"
