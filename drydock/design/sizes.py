"""Parses sizes of partitions and logical volumes; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = re.compile(r"\s*(>?)\s*([0-9]{1,18})\s*(%|[mMgGtT](?:[iI]?[bB]?))\s*", re.ASCII)
_UNITS = {
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}


@dataclass(frozen=True, slots=True)
class Size:
    """Either ``bytes`` or ``percent`` of the device or volume group. ``at_least``: this size and all free space."""

    bytes: int | None = None
    percent: int | None = None
    at_least: bool = False


def parse_size(text: str) -> Size | None:
    """``20g``, ``20GiB``, ``>100g``, ``50%``; None for an invalid size."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    more, amount, unit = found.groups()
    if unit == "%":
        return Size(percent=int(amount), at_least=bool(more))
    return Size(bytes=int(amount) * _UNITS[unit.lower().removesuffix("b")], at_least=bool(more))
