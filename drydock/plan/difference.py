"""What differs between two JSON-shaped values, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from drydock.design.secrecy import SHOWN_OOB, is_secret_name, masked, masked_text


class Absent(Enum):
    """In place of a value that is not there."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT

#: In place of both values of a secret that changed.
CHANGED: Final = "(changed)"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """``old`` or ``new`` is ``ABSENT`` where the field is new or gone."""

    path: Path
    old: Any
    new: Any

    @property
    def key(self) -> tuple[Path, str, str]:
        """Equal for equal changes; values need not be hashable."""
        return (self.path, repr(self.old), repr(self.new))


class Comparison:
    """Compares many pairs of values. A pair of objects that comes again is not compared again.

    Both values must stay as they are as long as this object is used.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Any, Any, tuple[Change, ...]]] = {}

    def changes(self, old: Any, new: Any) -> tuple[Change, ...]:
        """Their differences, in the order of the fields; empty if there are none. A list is one value."""
        if old is new:
            return ()
        if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
            return () if _equal(old, new) else (Change((), old, new),)
        key = (id(old), id(new))
        known = self._known.get(key)
        if known is None:
            # The values are kept too, so that their ids stay their own.
            known = self._known[key] = (old, new, tuple(self.fields(old, new)))
        return known[2]

    def fields(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        """As ``changes``, for two mappings that will not come again."""
        for name in (*old, *(name for name in new if name not in old)):
            for change in self.changes(old.get(name, ABSENT), new.get(name, ABSENT)):
                yield Change((name, *change.path), change.old, change.new)


def _equal(old: Any, new: Any) -> bool:
    """An absent field and one that is null mean the same. NOTE: for Python, 1 equals True."""
    if old is ABSENT or new is ABSENT:
        return old in (ABSENT, None) and new in (ABSENT, None)
    return type(old) is type(new) and bool(old == new)


def shown(change: Change) -> Change:
    """The change without secrets: of one only that it changed."""
    secret = any(is_secret_name(name) for name in change.path)
    if change.path[:1] == ("out_of_band",) and len(change.path) > 1:
        secret = secret or change.path[1] not in SHOWN_OOB
    if secret:
        return Change(change.path, _hidden(change.old), _hidden(change.new))
    return Change(tuple(masked_text(name) for name in change.path), _shown(change.old), _shown(change.new))


def _hidden(value: Any) -> Any:
    return value if value is ABSENT or value is None else CHANGED


def _shown(value: Any) -> Any:
    return value if value is ABSENT else masked(value)
