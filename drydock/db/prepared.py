"""Prepared statements, on a connection that each thread has for itself: what machines ask, a thousand at once.

There is no pool to wait for, no statement to build and none for PostgreSQL to plan: round trips are what is left. Plans
are made once for each connection. psycopg lets its answers come in binary, which costs both sides half of what text
does; SQLAlchemy's driver is another.
"""

from __future__ import annotations

import select
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.json import set_json_loads
from sqlalchemy import LargeBinary, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert

from drydock.db.connections import Connections
from drydock.db.deadlines import Watch
from drydock.db.outages import Kind, Trouble, one_line, trouble_of
from drydock.db.session import Session
from drydock.db.values import read_json
from drydock.errors import DatabaseUnavailable

#: The plans are made once, perhaps while the tables are still empty: they must use the indexes all the same. What a
#: pooler's client before us prepared is in the way.
_SETTINGS = b"DEALLOCATE ALL; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"


class Prepared:
    """A statement under a name. It is executed with those of its parameters that have no value yet, by their names.

    ``columns``: of an INSERT, those whose values are parameters of their names. A row has its values by name, in the
    order of ``row`` if that is given.
    """

    def __init__(
        self,
        name: str,
        statement: Select[Any] | ReturningInsert[Any],
        columns: Sequence[str] = (),
        *,
        row: type[Any] | None = None,
    ) -> None:
        dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=dialect, column_keys=columns or None)
        self.name = name.encode()
        self.prepare = f"PREPARE {name} AS {compiled}".encode()
        # In the order of the statement: those to come, and those that have their value.
        self._binds = [compiled.binds[each] for each in dict.fromkeys(compiled.positiontup or ())]
        # Text is read as whatever the statement wants there; bytes would have to be escaped.
        self.formats = [Format.BINARY if isinstance(bind.type, LargeBinary) else Format.TEXT for bind in self._binds]
        self.dumps = [PyFormat.from_pq(each) for each in self.formats]
        names = [column or "" for column in statement.exported_columns.keys()]  # noqa: SIM118 - not a dict
        self.row: type[Any] = row or namedtuple(name, names, rename=True)

    def values(self, given: Mapping[str, object]) -> list[object]:
        """What is sent: one for each place in the statement."""
        return [given[bind.key] if bind.required else bind.value for bind in self._binds]


class RowUnreadable(Exception):
    """A row holds what this driver cannot read, such as a year beyond Python's."""


class Begun:
    """A transaction in which one statement was executed. ``row``: the first of its answer, None without one."""

    def __init__(self, row: Any, commit: Callable[[], None]) -> None:
        self.row = row
        self.commit = commit


class OwnConnections:
    """Keeps one connection for each thread that comes. All raise ``DatabaseUnavailable``."""

    def __init__(self, connections: Connections, statements: Sequence[Prepared]) -> None:
        self._connections = connections
        self._statements = statements
        self._own = threading.local()

    def row(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """The first row that a statement reads, None without one."""
        return self._execute(statement, parameters)[1]

    def once(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """As ``row``, of a statement that writes: a transaction by itself, in one round trip.

        It is not executed a second time when it may have been kept: ``DatabaseUnavailable`` leaves that open.
        """
        return self._execute(statement, parameters, once=True)[1]

    @contextmanager
    def begun(self, statement: Prepared, parameters: Mapping[str, object]) -> Iterator[Begun]:
        """In a transaction; nothing is kept without the commit. It alone may fail and have been kept."""
        connection, row = self._execute(statement, parameters, begin=True)
        open_ = True

        def commit() -> None:
            nonlocal open_
            open_ = False
            self._end(connection, b"COMMIT")

        try:
            yield Begun(row, commit)
        finally:
            if open_:
                # Where that gets no answer there is nothing left to undo.
                with suppress(DatabaseUnavailable):
                    self._end(connection, b"ROLLBACK")

    def close(self) -> None:
        """The calling thread's connection; those of others end with their threads."""
        connection: _OwnConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._forget(connection)

    def _execute(
        self, statement: Prepared, parameters: Mapping[str, object], *, once: bool = False, begin: bool = False
    ) -> tuple[_OwnConnection, Any]:
        connection = self._kept(once=once)
        if connection is not None:
            try:
                return connection, connection.row(statement, parameters, begin=begin)
            except psycopg.Error as exc:
                trouble = self._trouble(connection, exc, begin=begin)
                # The server was restarted, or the schema upgraded, since this thread last asked.
                again = _WORTH_ANOTHER_CONNECTION if not once else _WORTH_ANOTHER_CONNECTION - {Kind.LOST}
                if trouble.kind not in again:
                    raise self._connections.unavailable(trouble, connection.generation) from exc
                if trouble.kind.concerns_all_connections:
                    self._connections.renew(connection.generation)
        connection = self._connect()
        try:
            return connection, connection.row(statement, parameters, begin=begin)
        except psycopg.Error as exc:
            trouble = self._trouble(connection, exc, begin=begin)
            raise self._connections.unavailable(trouble, connection.generation) from exc

    def _kept(self, *, once: bool) -> _OwnConnection | None:
        """This thread's, unless it is known to be of no use any more."""
        connection: _OwnConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            return None
        if connection.generation != self._connections.generation or (once and connection.has_ended()):
            self._forget(connection)
            return None
        return connection

    def _trouble(self, connection: _OwnConnection, error: psycopg.Error, *, begin: bool) -> Trouble:
        """Raises ``error`` itself if it is about the statement."""
        trouble = trouble_of(error)
        if trouble is not None or begin:
            self._forget(connection)
        if trouble is None:
            raise error
        return trouble

    def _end(self, connection: _OwnConnection, command: bytes) -> None:
        try:
            connection.command(command)
        except psycopg.Error as exc:
            self._forget(connection)
            self._connections.fail(exc, connection.generation)

    def _connect(self) -> _OwnConnection:
        connections = self._connections
        generation = connections.generation
        try:
            connection = _OwnConnection.connect(connections.conninfo, autocommit=True)
        except psycopg.Error as exc:
            raise connections.away(one_line(str(exc))) from exc
        try:
            connection.watch = connections.watch(connection.pgconn.socket)
            row = connection.command(connections.set_up.encode())
            session = Session.from_row(row)
            connections.admit(session, connection.info)
            connection.command(_SETTINGS)
            for statement in self._statements:
                connection.command(statement.prepare)
        except psycopg.Error as exc:
            connection.close()
            connections.fail(exc, None)
        except DatabaseUnavailable:
            connection.close()
            raise
        connection.watch.seconds = session.answer_seconds
        connection.generation = generation
        self._own.connection = connection
        return connection

    def _forget(self, connection: _OwnConnection) -> None:
        self._own.connection = None
        connection.close()


#: Troubles that another connection need not have.
_WORTH_ANOTHER_CONNECTION = frozenset({Kind.LOST, Kind.ELSEWHERE, Kind.STALE, Kind.SCHEMA})


class _Types:
    """How values are read: psycopg's ways but for JSON, which each driver reads alike.

    NOTE: without the connection all text is taken for UTF-8 and all times for UTC, which ``Connections`` sees to.
    """

    connection = None

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        set_json_loads(read_json, self)


class _OwnConnection(psycopg.Connection[Any]):
    """psycopg's own way to libpq, past its cursors, which cost as much again as the round trip. Raises its errors."""

    def __init__(self, libpq: PGconn) -> None:
        super().__init__(libpq)
        self._types = Transformer(_Types())
        self.watch: Watch
        self.generation = 0

    def __del__(self, _: object = None) -> None:
        """Its thread has ended."""
        self.close()

    def command(self, text: bytes) -> tuple[str, ...]:
        """The first row of the last answer, as text; empty without one."""
        with self.watch:
            result = self.pgconn.exec_(text)
        self._check(result)
        if not result.ntuples:
            return ()
        return tuple((result.get_value(0, column) or b"").decode() for column in range(result.nfields))

    def row(self, statement: Prepared, parameters: Mapping[str, object], *, begin: bool) -> Any:
        if begin:
            self.command(b"BEGIN")
        types = self._types
        values = types.dump_sequence(statement.values(parameters), statement.dumps)
        with self.watch:
            # NOTE: NULL is None, which its annotation leaves out.
            result = self.pgconn.exec_prepared(statement.name, values, statement.formats, Format.BINARY)  # type: ignore[arg-type]
        self._check(result)
        if not result.ntuples:
            return None
        types.set_pgresult(result)
        try:
            return types.load_row(0, statement.row._make)
        except (psycopg.DataError, RecursionError, ValueError) as exc:
            raise RowUnreadable(f"{statement.name.decode()}: {type(exc).__name__}") from exc

    def has_ended(self) -> bool:
        """Whether the server closed the connection: nothing else comes from a server that was not asked."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))

    def _check(self, result: PGresult) -> None:
        if result.status in _ANSWERED:
            return
        if self.pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("no answer came")
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        # Without the detail: it quotes what was sent.
        text = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        try:
            kind: type[psycopg.Error] = psycopg.errors.lookup(state)
        except KeyError:
            kind = psycopg.DatabaseError
        error = kind(text)
        error.sqlstate = state or None
        raise error


_ANSWERED = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
