"""SQLAlchemy's pool of connections, made from plain values."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from drydock.db import values
from drydock.db.connections import Connections
from drydock.db.outages import trouble_of
from drydock.db.session import ALIVE_SECONDS

#: Seconds for which a connection is taken to be alive after it was used.
RESTED_SECONDS = 1.0
#: Seconds that a request waits for a connection of the pool.
POOL_SECONDS = 10
_RETURNED = "returned"
_CONNECTIONS = "drydock_connections"


def connect(url: str, *, pool_size: int, max_overflow: int, application_name: str) -> Engine:
    """An engine that has not connected yet. Raises ``ConfigurationError`` for a URL that cannot be one."""
    return make_engine(
        Connections(url, application_name=application_name), pool_size=pool_size, max_overflow=max_overflow
    )


def make_engine(connections: Connections, *, pool_size: int, max_overflow: int) -> Engine:
    engine = create_engine(
        # ``connections`` has all other parameters.
        "postgresql+psycopg2://",
        creator=connections.connect,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_SECONDS,
        # The connection that was used last is the least likely to be lost.
        pool_use_lifo=True,
        pool_recycle=1800,
        hide_parameters=True,
        execution_options={_CONNECTIONS: connections},
        json_deserializer=values.read_json,
    )
    event.listen(engine, "connect", lambda connection, record: values.register(connection))
    _check_connections_taken(engine)
    event.listen(engine, "handle_error", _drop_in_an_outage)
    return engine


def connections_of(engine: Engine) -> Connections:
    """The maker of the engine's connections, for connections outside its pool."""
    connections: Connections = engine.get_execution_options()[_CONNECTIONS]
    return connections


def _check_connections_taken(engine: Engine) -> None:
    """Ping connections that were idle when they are checked out; to ping each time would double the round trips."""
    connections = connections_of(engine)

    def returned(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = time.monotonic()

    def taken(connection: Any, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        before = record.info.get(_RETURNED)
        if before is None:
            return
        if connection.generation != connections.generation:
            raise DisconnectionError
        if time.monotonic() - before < RESTED_SECONDS:
            return
        try:
            with connection.watch.within(ALIVE_SECONDS):
                engine.dialect.do_ping(connection)
        except psycopg2.Error as exc:
            connections.renew(connection.generation)
            raise DisconnectionError from exc

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)


def _drop_in_an_outage(context: ExceptionContext) -> None:
    """Discard the whole pool when the server is lost, or takes no writes."""
    trouble = trouble_of(context.original_exception)
    if trouble is not None and trouble.kind.concerns_all_connections:
        context.is_disconnect = True


def driver_url(url: str) -> str:
    """The same URL naming the driver we ship, whichever of the usual spellings the operator used."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg2://" + url.removeprefix(prefix)
    return url
