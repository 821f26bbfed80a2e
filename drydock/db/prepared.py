"""Prepared statements, on a connection that each thread has for itself: what machines ask, a thousand at once.

There is no pool to wait for, no statement to build and none for PostgreSQL to plan: round trips are what is left. Plans
are made once for each connection.
"""

from __future__ import annotations

import select
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import adapt
from sqlalchemy import BindParameter, Engine, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import ReturningInsert

from drydock.errors import DatabaseUnavailable

Cursor = psycopg2.extensions.cursor


class Prepared:
    """A statement under a name. It is executed with those of its parameters that have no value yet, by their names.

    ``columns``: of an INSERT, those whose values are parameters of their names. A row has its values by name.
    """

    def __init__(self, name: str, statement: Select[Any] | ReturningInsert[Any], columns: Sequence[str] = ()) -> None:
        dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=dialect, column_keys=columns or None)
        arguments = [_argument(compiled.binds[each]) for each in dict.fromkeys(compiled.positiontup or ())]
        self.prepare = f"PREPARE {name} AS {compiled}"
        self.execute = f"EXECUTE {name} ({', '.join(arguments)})"
        self.begin = f"BEGIN; {self.execute}"
        names = [column or "" for column in statement.exported_columns.keys()]  # noqa: SIM118 - not a dict
        self.row: type[Any] = namedtuple(name, names, rename=True)  # type: ignore[misc]


def _argument(bind: BindParameter[Any]) -> str:
    """A value that is part of the statement, or the place for one that is not."""
    return f"%({bind.key})s" if bind.required else str(adapt(bind.value)).replace("%", "%%")


class Begun:
    """A transaction in which one statement was executed. ``row``: the first of its answer, None without one."""

    def __init__(self, row: Any, commit: Callable[[], None]) -> None:
        self.row = row
        self.commit = commit


class OwnConnections:
    """Keeps one connection, and one cursor on it, for each thread that comes. All raise ``DatabaseUnavailable``."""

    def __init__(self, engine: Engine, statements: Sequence[Prepared]) -> None:
        self._engine = engine
        self._statements = statements
        self._own = threading.local()

    def row(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """The first row that a statement reads, None without one."""
        return self._execute(statement, statement.execute, parameters)[1]

    def once(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """As ``row``, of a statement that writes: a transaction by itself, in one round trip.

        It is not executed a second time when it may have been kept: ``DatabaseUnavailable`` leaves that open.
        """
        return self._execute(statement, statement.execute, parameters, once=True)[1]

    @contextmanager
    def begun(self, statement: Prepared, parameters: Mapping[str, object]) -> Iterator[Begun]:
        """In two round trips; nothing is kept without the commit. It alone may fail and have been kept."""
        cursor, row = self._execute(statement, statement.begin, parameters)
        open_ = True

        def commit() -> None:
            nonlocal open_
            open_ = False
            self._end(cursor, "COMMIT")

        try:
            yield Begun(row, commit)
        finally:
            if open_:
                # Where that gets no answer there is nothing left to undo.
                with suppress(DatabaseUnavailable):
                    self._end(cursor, "ROLLBACK")

    def _execute(
        self, statement: Prepared, text: str, parameters: Mapping[str, object], *, once: bool = False
    ) -> tuple[Cursor, Any]:
        cursor: Cursor | None = getattr(self._own, "cursor", None)
        if cursor is not None and once and _has_ended(cursor):
            self._forget(cursor)
            cursor = None
        if cursor is not None:
            try:
                return cursor, _first_row(cursor, statement, text, parameters)
            except psycopg2.Error as exc:
                # The server was restarted, or the schema upgraded, since this thread last asked.
                self._forget(cursor)
                if once and isinstance(exc, _OUTAGES):
                    raise DatabaseUnavailable("the database did not answer") from exc
        cursor = self._connect()
        try:
            return cursor, _first_row(cursor, statement, text, parameters)
        except psycopg2.Error as exc:
            self._forget(cursor)
            if isinstance(exc, _OUTAGES):
                raise DatabaseUnavailable("the database did not answer") from exc
            raise

    def _end(self, cursor: Cursor, text: str) -> None:
        try:
            cursor.execute(text)
        except psycopg2.Error as exc:
            self._forget(cursor)
            raise DatabaseUnavailable("the database did not answer") from exc

    def _connect(self) -> Cursor:
        try:
            pooled = self._engine.raw_connection()
        except (SQLAlchemyError, psycopg2.Error) as exc:
            # NOTE: raw_connection() passes the driver's own error on, unlike connect().
            raise DatabaseUnavailable("the database did not answer") from exc
        raw = pooled.driver_connection
        pooled.detach()
        if not isinstance(raw, psycopg2.extensions.connection):
            raise TypeError("prepared statements need psycopg2")
        raw.autocommit = True
        try:
            cursor = raw.cursor()
            # The plans are made once, perhaps while the tables are still empty: they must use the indexes all the same.
            cursor.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            for statement in self._statements:
                cursor.execute(statement.prepare)
        except psycopg2.Error as exc:
            raw.close()
            raise DatabaseUnavailable("the database did not answer") from exc
        self._own.cursor = cursor
        return cursor

    def _forget(self, cursor: Cursor) -> None:
        self._own.cursor = None
        cursor.connection.close()


#: What says that the server, not the statement, is in trouble.
_OUTAGES = (psycopg2.OperationalError, psycopg2.InterfaceError)


def _first_row(cursor: Cursor, statement: Prepared, text: str, parameters: Mapping[str, object]) -> Any:
    cursor.execute(text, parameters)
    row = cursor.fetchone()
    return None if row is None else statement.row._make(row)


def _has_ended(cursor: Cursor) -> bool:
    """Whether the server closed the connection: nothing else comes from a server that was not asked."""
    poll = select.poll()
    poll.register(cursor.connection, select.POLLIN)
    return bool(poll.poll(0))
