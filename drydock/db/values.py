"""Reads values that Python cannot represent as the nearest ones: no row may make a list unreadable."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import psycopg2.extensions
from sqlalchemy.engine.interfaces import DBAPIConnection

#: Levels of JSON that are parsed.
DEEPEST = 100
_TIMESTAMPTZ = 1184
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def read_json(text: str | bytes) -> Any:
    """JSON that is nested too deep or has too long numbers is returned as text, as are numbers beyond a float's range.

    NOTE: how deep Python itself reads depends on its version; since 3.12 it is deeper than it writes.
    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value = json.loads(text, parse_float=_number)
    except (RecursionError, ValueError):
        return text
    # What can just be parsed here might be too deep to be written where the stack is deeper.
    brackets = text.count("[") + text.count("{")
    return text if brackets > DEEPEST and _deeper_than(value, DEEPEST) else value


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        lists = (each.values() if isinstance(each, dict) else each for each in level)
        level = [item for items in lists for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _read_moment(text: str | bytes | None, cursor: psycopg2.extensions.cursor) -> datetime | None:
    try:
        moment: datetime | None = psycopg2.extensions.PYDATETIMETZ(text, cursor)
    except (ValueError, OverflowError):
        return _EARLIEST if "BC" in str(text) else _LATEST
    return moment


def register(connection: DBAPIConnection) -> None:
    """Let the connection read years out of Python's range as the first or the last moment."""
    if not isinstance(connection, psycopg2.extensions.connection):
        raise TypeError("times are read by psycopg2")
    kind = psycopg2.extensions.new_type((_TIMESTAMPTZ,), "TIMESTAMPTZ", _read_moment)
    psycopg2.extensions.register_type(kind, connection)
