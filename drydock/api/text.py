"""Which text clients may send: nothing that PostgreSQL cannot store or that plays tricks on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import isfinite

from drydock.errors import InvalidInput

#: Never: control characters but tab and line ends, and halves of surrogate pairs.
_NEVER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ONE_LINE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

#: How deep JSON may be nested, and how long the keys of its objects may be.
MAX_DEPTH = 64
MAX_KEY = 1024
#: A path shown in a message is cut after this number of characters.
_SHOWN = 200

#: For schemas of names and references: one line. Also see ``check_values``.
ONE_LINE_PATTERN = r"^[^\x00-\x1f\x7f]*$"


def check_line(text: str, *, field: str, longest: int = 1024) -> str:
    """``text`` if it is one line of at most ``longest`` characters. Raises ``InvalidInput``."""
    if len(text) > longest:
        raise InvalidInput(f"is longer than {longest} characters", field=field)
    if _ONE_LINE.search(text):
        raise InvalidInput("has control characters", field=field)
    return text


def check_values(value: object) -> None:
    """Walk through parsed JSON: no bad character, no number that PostgreSQL's JSON lacks, no deep nesting, no long key.

    Raises ``InvalidInput`` naming the place, which is put into words only then: paths of all items would take more
    room than the items.
    """
    path: list[str | int] = []
    levels: list[Iterator[tuple[str | int, object]]] = []
    item = value
    while True:
        if len(path) > MAX_DEPTH:
            raise too_deep()
        problem = _problem(item)
        if problem:
            raise InvalidInput(problem, field=field_path(path))
        if isinstance(item, dict | list):
            levels.append(iter(item.items() if isinstance(item, dict) else enumerate(item)))
            path.append("")
        while (found := next(levels[-1], None) if levels else None) is None:
            if not levels:
                return
            levels.pop()
            path.pop()
        path[-1], item = found


def too_deep() -> InvalidInput:
    """Of the whole body: how deep Python itself parses depends on its version."""
    return InvalidInput(f"is nested more than {MAX_DEPTH} levels deep", field="body")


def _problem(item: object) -> str:
    if isinstance(item, str):
        return "has control characters" if _NEVER.search(item) else ""
    if isinstance(item, float):
        return "" if isfinite(item) else "is a number out of range"
    if isinstance(item, dict):
        for key in item:
            if len(key) > MAX_KEY:
                return f"has a key of more than {MAX_KEY} characters"
            if _NEVER.search(key):
                return "has a key with control characters"
    return ""


def field_path(path: Sequence[str | int]) -> str:
    """``["details", 0, "message"]`` as ``details[0].message``; the body itself is called ``body``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:_SHOWN]}"
    return text.removeprefix(".")[:_SHOWN] or "body"
