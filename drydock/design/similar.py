"""Which of the names that exist was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Any

#: Names looked at, and characters of a name: comparing takes its time.
_MOST = 1000
_LONGEST = 100
_SIMILAR = 0.6
_MOST_HINTS = 100


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """``; did you mean NAME?``, or nothing."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ""
    wanted = name.lower()
    names = {item.lower(): item for item in islice(known, _MOST) if abs(len(item) - len(name)) <= len(name) // 2 + 1}
    found = difflib.get_close_matches(wanted, names, n=1, cutoff=_SIMILAR)
    return f"; did you mean {names[found[0]]}?" if found else ""


class Similar:
    """Answers for names that many may have wrong, so each once, and no more than anybody reads."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = known
        self._hints: dict[str, str] = {}

    def hint(self, name: str) -> str:
        if name not in self._hints:
            self._hints[name] = did_you_mean(name, self._known) if len(self._hints) < _MOST_HINTS else ""
        return self._hints[name]
