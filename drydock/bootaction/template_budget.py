"""What one rendering of a template may spend: time, and the size of all it makes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: Integers beyond this are no sensible argument of a filter or method (widths, counts, repetitions).
MAX_ARGUMENT = 100_000
MAX_INTEGER_BITS = 4096
#: Everything a rendering makes on its way, as a multiple of what it may deliver.
_WASTE = 16
#: Filters and string methods whose result may be as large as the product of what they are given; all others add up.
_MULTIPLY = frozenset(
    {"batch", "center", "expandtabs", "indent", "join", "ljust", "replace"}
    | {"rjust", "slice", "tojson", "translate", "wordwrap", "xmlattr", "zfill"}
)
#: A width taken from the arguments: ``%*d``.
_STARRED = re.compile(r"%[^a-zA-Z%]*\*")
_FORMAT = frozenset({"format", "format_map"})


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """For one asset: seconds of template time, and bytes of any value and of the finished asset."""

    max_seconds: float = 2.0
    max_bytes: int = 4 * 1024 * 1024


class LimitExceededError(RuntimeError):
    """A template that wants too much."""


class Budget:
    def __init__(self, limits: TemplateLimits) -> None:
        self._deadline = time.monotonic() + limits.max_seconds
        self._limits = limits
        self._made = 0

    def check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise LimitExceededError(f"the template takes longer than {self._limits.max_seconds:g} s")

    def make(self, size: int) -> None:
        """Account for something of this many characters. Raises ``LimitExceededError``, as all here do."""
        self.check_time()
        self._made += size
        limit = self._limits.max_bytes
        if size > limit or self._made > _WASTE * limit:
            raise LimitExceededError(f"the template makes more than {limit} bytes")

    def check_call(self, name: str, arguments: Iterable[Any]) -> None:
        """Before a filter or method makes something of its arguments, the receiver among them."""
        total, product = 0, 1
        for argument in arguments:
            size = 1
            if isinstance(argument, int):
                if abs(argument) > MAX_ARGUMENT:
                    raise LimitExceededError(f"a number beyond {MAX_ARGUMENT} as an argument in the template")
                size = max(1, abs(argument))
            elif argument is not None:
                size = max(1, self.extent(argument))
                if isinstance(argument, str) and name in _FORMAT:
                    check_widths(argument)
            total += size
            product *= size
        estimate = product // 8 if name in _MULTIPLY else total
        if estimate > self._limits.max_bytes:
            raise LimitExceededError(f"the template makes more than {self._limits.max_bytes} bytes")
        self.check_time()

    def extent(self, value: Any) -> int:
        """Characters it takes to write a value, nested ones included; counts no further than the limit."""
        if isinstance(value, str | bytes):
            return len(value)
        size, pending = 0, [value]
        while pending and size <= self._limits.max_bytes:
            item = pending.pop()
            size += len(item) if isinstance(item, str | bytes) else 1
            if isinstance(item, dict):
                pending += item.keys()
                pending += item.values()
            elif isinstance(item, list | tuple | set | frozenset):
                pending += item
        return size


def check_widths(layout: str) -> None:
    """A format may ask for a width of its own, out of sight of the arguments."""
    if _STARRED.search(layout):
        raise LimitExceededError("a format with a width from its arguments in the template")
    digits = 0
    for character in layout:
        digits = digits + 1 if character.isdigit() else 0
        if digits >= len(str(MAX_ARGUMENT)):
            raise LimitExceededError("a number too large in a format of the template")
