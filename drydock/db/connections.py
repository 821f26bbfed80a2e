"""The one way to PostgreSQL, for SQLAlchemy, prepared statements, listening and migrations."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, NoReturn, Protocol

import psycopg2
import psycopg2.extensions
from sqlalchemy.exc import DBAPIError

from drydock.db.address import asked_first, libpq_parameters
from drydock.db.deadlines import Deadlines, Watch
from drydock.db.outages import Kind, OutageLog, Trouble, one_line, trouble_of
from drydock.db.schema import SchemaCheck
from drydock.db.session import (
    SET_UP_SECONDS,
    STATEMENT_SECONDS,
    Session,
    require_own_server,
    set_up,
)
from drydock.errors import DatabaseUnavailable

_BACKEND = "SELECT pg_backend_pid()"
#: For clients.
NOT_READY = "the database is not ready for this version; the log says why"


class WatchedCursor(psycopg2.extensions.cursor):
    connection: WatchedConnection

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - as psycopg2 has it
        with self.connection.watch:
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with self.connection.watch:
            super().executemany(query, vars_list)


class WatchedConnection(psycopg2.extensions.connection):
    """A connection with a deadline for each call that waits for the server. ``generation``: see ``Connections``."""

    watch: Watch
    generation: int

    def commit(self) -> None:
        with self.watch:
            super().commit()

    def rollback(self) -> None:
        with self.watch:
            super().rollback()


class ConnectionInfo(Protocol):
    """As both drivers have it. ``backend_pid``: the number of the server process, as sent when connecting."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def backend_pid(self) -> int: ...


class Connections:
    """Opens connections to one database, and knows when all of them have to be replaced.

    A connection belongs to the ``generation`` in which it was opened. One that is lost, or leads to a server that takes
    no writes, ends the generation: then all connections follow an address that has moved, those for reads included.
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        statement_seconds: float | None = STATEMENT_SECONDS,
        outages: OutageLog | None = None,
    ) -> None:
        """Connects to nothing yet. ``outages``: instead of a log of its own. Raises ``ConfigurationError``."""
        self._parameters = libpq_parameters(url, application_name=application_name)
        self.conninfo = psycopg2.extensions.make_dsn(**self._parameters)
        self.generation = 0
        self.set_up = set_up(statement_seconds)
        self._outages = outages or OutageLog()
        self._deadlines = Deadlines(self._expired)
        self._lock = threading.Lock()
        self._pooler_is_fit = False
        self.schema = SchemaCheck()

    def connect(self) -> WatchedConnection:
        """For SQLAlchemy and for listeners. Raises ``DatabaseUnavailable``."""
        generation = self.generation
        connection = self._opened()
        try:
            with connection.cursor() as cursor:
                connection.autocommit = True
                cursor.execute(self.set_up)
                session = Session.from_row(cursor.fetchone() or ())
            self.admit(session, connection.info)
            connection.autocommit = False
        except psycopg2.Error as exc:
            connection.close()
            self.fail(exc, None)
        except DatabaseUnavailable:
            connection.close()
            raise
        connection.watch.seconds = session.answer_seconds
        connection.generation = generation
        return connection

    def _opened(self) -> WatchedConnection:
        try:
            connection: WatchedConnection = psycopg2.connect(
                self.conninfo, connection_factory=WatchedConnection, cursor_factory=WatchedCursor
            )
        except psycopg2.Error as exc:
            raise self.away(one_line(str(exc))) from exc
        connection.watch = self.watch(connection.fileno())
        return connection

    def watch(self, descriptor: int) -> Watch:
        """For a connection that is being set up."""
        return self._deadlines.watch(descriptor, SET_UP_SECONDS)

    def admit(self, session: Session, info: ConnectionInfo) -> None:
        """``info``: what the driver knows of the connection. Raises ``DatabaseUnavailable``."""
        try:
            session.require_fit()
            # Through a pooler the numbers differ.
            if info.backend_pid != session.backend and not self._pooler_is_fit:
                self._check_pooler()
        except DatabaseUnavailable as exc:
            self._outages.away(exc.cause)
            raise
        self._outages.connected()
        if "," in self._parameters.get("host", "") and "hostaddr" not in self._parameters:
            self.conninfo = psycopg2.extensions.make_dsn(**asked_first(self._parameters, info.host, info.port))

    def _check_pooler(self) -> None:
        """Raises ``DatabaseUnsuitable``. If the pool is full now, it is checked with the next connection."""
        pair: list[WatchedConnection] = []
        try:
            first = self._opened()
            pair.append(first)
            second = self._opened()
            pair.append(second)
            require_own_server(partial(_backend, first), partial(_backend, second))
            self._pooler_is_fit = True
        except psycopg2.Error:
            return
        finally:
            for each in pair:
                each.close()

    def away(self, cause: str) -> DatabaseUnavailable:
        """To be raised: no connection can be opened."""
        self._outages.away(cause)
        return DatabaseUnavailable(cause=cause)

    def unavailable(self, trouble: Trouble, generation: int | None) -> DatabaseUnavailable:
        """To be raised for ``trouble`` that a connection of this generation had."""
        if trouble.kind.concerns_all_connections:
            self.renew(generation)
        self._outages.trouble(trouble.cause, key=trouble.key)
        if trouble.kind is Kind.SCHEMA:
            self.schema.doubt()
            return DatabaseUnavailable(NOT_READY, cause=trouble.cause)
        return DatabaseUnavailable(cause=trouble.cause)

    def not_ready(self, cause: str) -> DatabaseUnavailable:
        """To be raised: the database answers, but its schema is not this version's."""
        self._outages.trouble(cause)
        return DatabaseUnavailable(NOT_READY, cause=cause)

    def fail(self, error: Exception, generation: int | None) -> NoReturn:
        """Raises ``DatabaseUnavailable``, or ``error`` itself (SQLAlchemy's or a driver's) if it is about a statement.

        ``generation``: of the connection, None if it has none yet.
        """
        trouble = trouble_of(error.orig if isinstance(error, DBAPIError) else error)
        if trouble is None:
            raise error
        raise self.unavailable(trouble, generation) from error

    def renew(self, generation: int | None) -> None:
        """Use no connection of this generation or an earlier one again."""
        with self._lock:
            if generation == self.generation:
                self.generation += 1

    def close(self) -> None:
        """No thread is left when this returns, so that the process may be forked."""
        self._deadlines.close()

    def _expired(self, seconds: float) -> None:
        self._outages.trouble(f"the server did not answer within {seconds:g} s; the connection was closed")


def _backend(connection: WatchedConnection) -> int:
    """In a transaction of its own."""
    with connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_BACKEND)
        (backend,) = cursor.fetchone() or (0,)
    return int(backend)
