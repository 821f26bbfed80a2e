"""A connection per thread with prepared statements, for the requests that come by the thousand.

There is no pool to wait for: only round trips are left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from drydock.db.connections import Connections
from drydock.db.outages import Kind, ServerError, Trouble, one_line, trouble_of
from drydock.db.prepared import Prepared, PreparedConnection
from drydock.db.session import Session
from drydock.errors import DatabaseUnavailable

#: Plans are made once, perhaps while the tables are still empty: they must use the indexes all the same. A pooler may
#: hand out a connection on which its client before has prepared statements.
_SETTINGS = b"DEALLOCATE ALL; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"
#: With these kinds of trouble, another connection may succeed.
_WORTH_ANOTHER_CONNECTION = frozenset({Kind.LOST, Kind.ELSEWHERE, Kind.STALE, Kind.SCHEMA})

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Transaction(Generic[Row]):
    """A transaction in which one statement was executed. ``row``: the first of its result, None without one."""

    row: Row
    commit: Callable[[], None]


class ThreadConnections:
    """One connection for each thread. All methods raise ``DatabaseUnavailable``.

    An error about the statement itself is raised as ``ServerError``.
    """

    def __init__(self, connections: Connections, statements: Sequence[Prepared]) -> None:
        self._connections = connections
        self._statements = statements
        self._own = threading.local()

    def row(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """The first row that a statement reads, None without one."""
        return self._execute(statement, parameters)[1]

    def execute_write(self, statement: Prepared, parameters: Mapping[str, object]) -> Any:
        """As ``row``, for a statement that writes: a transaction of its own, in one round trip.

        It is not executed again if it may have been committed: ``DatabaseUnavailable`` leaves that open.
        """
        return self._execute(statement, parameters, writes=True)[1]

    @contextmanager
    def transaction(self, statement: Prepared, parameters: Mapping[str, object]) -> Iterator[Transaction[Any]]:
        """Execute a statement in a transaction, which is rolled back unless its ``commit`` is called.

        If ``commit`` raises ``DatabaseUnavailable``, the transaction may have been committed.
        """
        connection, row = self._execute(statement, parameters, begin=True)
        open_ = True

        def commit() -> None:
            nonlocal open_
            open_ = False
            self._end(connection, b"COMMIT")

        try:
            yield Transaction(row, commit)
        finally:
            if open_:
                # If the server does not answer, it rolls back by itself.
                with suppress(DatabaseUnavailable):
                    self._end(connection, b"ROLLBACK")

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads are closed when they end."""
        connection: PreparedConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._forget(connection)

    def _execute(
        self, statement: Prepared, parameters: Mapping[str, object], *, writes: bool = False, begin: bool = False
    ) -> tuple[PreparedConnection, Any]:
        connection = self._kept(writes=writes)
        if connection is not None:
            try:
                return connection, connection.row(statement, parameters, begin=begin)
            except ServerError as exc:
                trouble = self._trouble(connection, exc, begin=begin)
                # The server was restarted, or the schema upgraded, since this thread's last statement.
                again = _WORTH_ANOTHER_CONNECTION if not writes else _WORTH_ANOTHER_CONNECTION - {Kind.LOST}
                if trouble.kind not in again:
                    raise self._connections.unavailable(trouble, connection.generation) from exc
                if trouble.kind.concerns_all_connections:
                    self._connections.renew(connection.generation)
        connection = self._connect()
        try:
            return connection, connection.row(statement, parameters, begin=begin)
        except ServerError as exc:
            trouble = self._trouble(connection, exc, begin=begin)
            raise self._connections.unavailable(trouble, connection.generation) from exc

    def _kept(self, *, writes: bool) -> PreparedConnection | None:
        """This thread's connection, unless it is known to be unusable."""
        connection: PreparedConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            return None
        if connection.generation != self._connections.generation or (writes and connection.has_ended()):
            self._forget(connection)
            return None
        return connection

    def _trouble(self, connection: PreparedConnection, error: ServerError, *, begin: bool) -> Trouble:
        """Raises ``error`` itself if it is about the statement."""
        trouble = trouble_of(error)
        if trouble is not None or begin:
            self._forget(connection)
        if trouble is None:
            raise error
        return trouble

    def _end(self, connection: PreparedConnection, command: bytes) -> None:
        try:
            connection.command(command)
        except ServerError as exc:
            self._forget(connection)
            self._connections.fail(exc, connection.generation)

    def _connect(self) -> PreparedConnection:
        connections = self._connections
        generation = connections.generation
        try:
            connection = PreparedConnection.opened(connections.conninfo)
        except ServerError as exc:
            raise connections.away(one_line(str(exc))) from exc
        try:
            connection.watch = connections.watch(connection.pgconn.socket)
            row = connection.command(connections.set_up.encode())
            session = Session.from_row(row)
            connections.admit(session, connection.info)
            connection.command(_SETTINGS)
            for statement in self._statements:
                connection.command(statement.prepare)
        except ServerError as exc:
            connection.close()
            connections.fail(exc, None)
        except DatabaseUnavailable:
            connection.close()
            raise
        connection.watch.seconds = session.answer_seconds
        connection.generation = generation
        self._own.connection = connection
        return connection

    def _forget(self, connection: PreparedConnection) -> None:
        self._own.connection = None
        connection.close()
