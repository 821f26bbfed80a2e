"""Query strings: each parameter known, given once, and of its type."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import TypeVar
from uuid import UUID

import falcon

from drydock.api.text import check_line
from drydock.errors import InvalidInput, TaskNotFound

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})


class Query:
    """The parameters of a request, of which only ``known`` may be there. All methods raise ``InvalidInput``."""

    def __init__(self, req: falcon.Request, known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        for name, value in req.params.items():
            if name not in known:
                expected = f"known are {', '.join(sorted(known))}" if known else "there are none here"
                raise InvalidInput(f"is no parameter of this route; {expected}", field=_shown(name))
            if not isinstance(value, str):
                raise InvalidInput("is given more than once", field=name)
            self._values[name] = value

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not value:
            raise InvalidInput("is empty", field=name)
        return check_line(value, field=name)

    def _typed(self, name: str) -> str | None:
        """The value of a parameter that is no text. The deployed Python client writes ``None`` for "not given"."""
        value = self._values.get(name)
        return None if value is None or value.lower() == "none" else value

    def flag(self, name: str) -> bool:
        """False unless given; any case, as clients send ``True``."""
        value = self._typed(name)
        if value is None or value.lower() in _FALSE:
            return False
        if value.lower() in _TRUE:
            return True
        raise InvalidInput("must be true or false", field=name)

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        value = self._typed(name)
        if value is None:
            return None
        # NOTE: int() would also take "1_000", " 1" and digits of other scripts.
        if not re.fullmatch(r"-?[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
            raise InvalidInput(f"must be a number from {minimum} to {maximum}", field=name)
        return int(value)

    def seconds(self, name: str) -> float:
        """A time of at least zero; zero unless given."""
        value = self._typed(name)
        if value is None:
            return 0.0
        if not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", value) or not math.isfinite(float(value)):
            raise InvalidInput("must be a number of seconds, not negative", field=name)
        return float(value)

    def uuid(self, name: str) -> UUID | None:
        value = self._typed(name)
        if value is None:
            return None
        parsed = parse_uuid(value)
        if parsed is None:
            raise InvalidInput("must be a UUID", field=name)
        return parsed

    def uuid_range(self, name: str) -> tuple[UUID, UUID] | None:
        """The first and the last UUID that begin with what is given, with or without dashes."""
        value = self._values.get(name)
        if value is None:
            return None
        digits = value.replace("-", "")
        if not re.fullmatch(r"[0-9a-fA-F]{1,32}", digits):
            raise InvalidInput("must be the beginning of a UUID: hexadecimal digits", field=name)
        return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))

    def choice(self, name: str, choices: Mapping[str, T]) -> T | None:
        value = self._typed(name)
        if value is None:
            return None
        if value not in choices:
            raise InvalidInput(f"must be one of {', '.join(choices)}", field=name)
        return choices[value]


def parse_uuid(text: str) -> UUID | None:
    """A UUID in its usual form, dashes included and any case; None for all else."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return None
    return UUID(text)


def read_task_id(text: str) -> UUID:
    """Of a path. Raises ``TaskNotFound``: what is no UUID is the id of no task."""
    parsed = parse_uuid(text)
    if parsed is None:
        raise TaskNotFound("there is no task with this id; ids are UUIDs")
    return parsed


def _shown(name: str) -> str:
    return name[:100] if name.isprintable() else "query"
