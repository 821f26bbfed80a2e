"""Connections of SQLAlchemy's pool, lent for a block: errors about the database become ``DatabaseUnavailable``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, Engine, func, select, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from drydock.db.connections import WatchedConnection
from drydock.db.engine import POOL_SECONDS, connections_of
from drydock.db.outages import TAKES_NO_WRITES
from drydock.db.session import ANSWER_SECONDS

_READ_ONLY = select(func.current_setting("transaction_read_only"))


class Pool:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.connections = connections_of(engine)

    @contextmanager
    def transaction(self, *, statement_seconds: float | None) -> Iterator[Connection]:
        """Rolled back unless it is committed. ``statement_seconds``: instead of the usual limit of a statement."""
        with self._connected() as (connection, raw):
            if statement_seconds is None:
                yield connection
                return
            connection.execute(select(func.set_config("statement_timeout", f"{statement_seconds:g}s", true())))
            with raw.watch.within(statement_seconds + ANSWER_SECONDS):
                yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Each statement is a transaction of its own, which saves two round trips."""
        with self._connected() as (connection, raw), _autocommit(raw):
            yield connection

    def check(self) -> None:
        """Raises ``DatabaseUnavailable`` unless the database takes writes and has the schema this version needs."""
        with self._connected() as (connection, raw), _autocommit(raw):
            if connection.scalar(_READ_ONLY) != "off":
                self.connections.renew(raw.generation)
                raise self.connections.away(TAKES_NO_WRITES)
            schema = self.connections.schema.unfit(connection)
            if schema is not None:
                raise self.connections.not_ready(schema.text)

    def close(self) -> None:
        self._engine.dispose()
        self.connections.close()

    @contextmanager
    def _connected(self) -> Iterator[tuple[Connection, WatchedConnection]]:
        generation: int | None = None
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                if not isinstance(raw, WatchedConnection):
                    raise TypeError("the engine is not one of drydock.db.engine")
                generation = raw.generation
                yield connection, raw
        except PoolTimeout as exc:
            raise self.connections.away(
                f"no connection became free within {POOL_SECONDS} s: all of this process are in use"
            ) from exc
        # NOTE: SQLAlchemy's first look at a server, and its pool, pass the driver's own errors on.
        except (DBAPIError, psycopg2.Error) as exc:
            self.connections.fail(exc, generation)


@contextmanager
def _autocommit(raw: WatchedConnection) -> Iterator[None]:
    # NOTE: not SQLAlchemy's isolation level. Setting that back sends a statement, and where the server is gone the pool
    # loses the connection for good. This sends nothing.
    raw.autocommit = True
    try:
        yield
    finally:
        if not raw.closed:
            raw.autocommit = False
