"""The conditions that correctness rests on, each written once: every statement and every partial index uses these.

Each takes the table, or an alias of it. Values are written into the SQL as constants: PostgreSQL uses a partial index
only where it can prove its condition while it plans.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, and_, any_, func, literal_column, or_, select, text

from drydock.model.rollout import AWAIT_WAVE
from drydock.model.task import CLOSED

#: The time at this moment. ``func.now()`` is the time at which the transaction began.
NOW = func.clock_timestamp()


def seconds_of(number: float | ColumnElement[Any]) -> ColumnElement[Any]:
    """An interval."""
    return func.make_interval(0, 0, 0, 0, 0, 0, number)


def hours_of(number: int) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, number)


def days_of(number: int) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, number)


def _listed(values: Iterable[StrEnum]) -> list[str]:
    return [f"'{value}'" for value in values]


def sql_one_of(column: str, values: Iterable[StrEnum]) -> str:
    """As text, for constraints and for columns that may hold what only another version knows."""
    return f"{column} IN ({', '.join(_listed(values))})"


# Tasks.

#: As ``is_open``, for constraints and partial indexes of the table itself.
IS_OPEN_SQL = f"status NOT IN ({', '.join(_listed(sorted(CLOSED)))})"


def _closed() -> list[ColumnElement[str]]:
    return [literal_column(value, Text) for value in _listed(sorted(CLOSED))]


def is_open(tasks: FromClause) -> ColumnElement[bool]:
    """The task has not ended."""
    return tasks.c.status.not_in(_closed())


def is_closed(tasks: FromClause) -> ColumnElement[bool]:
    """The task has ended."""
    return tasks.c.status.in_(_closed())


def awaits_wave(tasks: FromClause) -> ColumnElement[bool]:
    """The subtask has not begun, and does not before its wave does."""
    return tasks.c.step.is_not_distinct_from(literal_column(f"'{AWAIT_WAVE}'", Text))


def is_due(tasks: FromClause) -> ColumnElement[bool]:
    # NOTE: now() and not clock_timestamp(), which is volatile: PostgreSQL would not use the index.
    return tasks.c.wake_at <= func.now()


def is_free(tasks: FromClause) -> ColumnElement[bool]:
    """No worker has a lease on the task, or the lease has lapsed."""
    return or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now())


def lease_lasts(tasks: FromClause) -> ColumnElement[bool]:
    """The lease has not lapsed at this moment, however long ago the transaction began."""
    return tasks.c.lease_until > NOW


# Boot contexts.


def has_name(column: ColumnElement[str], name: ColumnElement[str] | str) -> ColumnElement[bool]:
    """The column holds this node name, compared as DNS does (RFC 4343)."""
    return func.lower(column) == func.lower(name)


def has_one_of_names(column: ColumnElement[str], names: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same for an array of names. NOTE: Python's lower case is not that of the database, which has a locale."""
    name = func.unnest(names).column_valued("name")
    return func.lower(column) == any_(func.array(select(func.lower(name)).scalar_subquery()))


def is_unrevoked(contexts: FromClause) -> ColumnElement[bool]:
    """The context was not revoked; it may have expired."""
    return contexts.c.ended.is_(None)


def is_live(contexts: FromClause) -> ColumnElement[bool]:
    """The context was not revoked and has not expired: its key is valid."""
    return and_(is_unrevoked(contexts), contexts.c.expires > func.now())


#: As ``is_unrevoked``, for partial indexes.
UNREVOKED = text("ended IS NULL")
