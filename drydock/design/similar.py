"""Suggests the existing name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Any

#: Maximum number of names compared, and characters of a name: comparing is slow.
_MOST = 1000
_LONGEST = 100
_SIMILAR = 0.6
_MOST_HINTS = 100


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """``; did you mean NAME?``, or an empty text."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ""
    wanted = name.lower()
    names = {item.lower(): item for item in islice(known, _MOST) if abs(len(item) - len(name)) <= len(name) // 2 + 1}
    found = difflib.get_close_matches(wanted, names, n=1, cutoff=_SIMILAR)
    return f"; did you mean {names[found[0]]}?" if found else ""


class Similar:
    """Suggestions for names that many nodes may misspell: computed once per name, and bounded in number."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = known
        self._hints: dict[str, str] = {}

    def hint(self, name: str) -> str:
        if name not in self._hints:
            self._hints[name] = did_you_mean(name, self._known) if len(self._hints) < _MOST_HINTS else ""
        return self._hints[name]
