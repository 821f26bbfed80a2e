"""Which text clients may send: nothing that PostgreSQL cannot store or that plays tricks on a terminal."""

from __future__ import annotations

import re

from drydock.errors import InvalidInput

#: Never: control characters but tab and line ends, and halves of surrogate pairs.
_NEVER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ONE_LINE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

#: How deep JSON may be nested.
MAX_DEPTH = 64

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
    """Walk through parsed JSON. Raises ``InvalidInput`` naming the place of a bad character, or for deep nesting."""
    pending: list[tuple[object, str, int]] = [(value, "", 0)]
    while pending:
        item, path, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise InvalidInput(f"is nested more than {MAX_DEPTH} levels deep", field=path[:200])
        if isinstance(item, str):
            if _NEVER.search(item):
                raise InvalidInput("has control characters", field=path or "body")
        elif isinstance(item, dict):
            for key, below in item.items():
                if _NEVER.search(key):
                    raise InvalidInput("has a key with control characters", field=path or "body")
                pending.append((below, f"{path}.{key}" if path else key, depth + 1))
        elif isinstance(item, list):
            pending.extend((below, f"{path}[{index}]", depth + 1) for index, below in enumerate(item))
