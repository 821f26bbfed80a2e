"""The connection pool, made from plain values."""

from __future__ import annotations

import time

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from drydock.db import values

#: Every session: a lost client must not hold locks, a runaway statement must not hold a request.
SESSION_OPTIONS = "-c timezone=UTC -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"

#: A connection that was used this recently is taken to be alive.
RESTED_SECONDS = 1.0
_RETURNED = "returned"


def connect(url: str, *, pool_size: int, max_overflow: int, application_name: str) -> Engine:
    """An engine that has not connected yet. ``url`` as in ``postgresql://user:password@host/name``."""
    settings = {
        "connect_timeout": "5",
        "options": SESSION_OPTIONS,
        "application_name": application_name,
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
    }
    engine = create_engine(
        # As part of the address: ``OwnConnections`` connects by it too.
        make_url(driver_url(url)).update_query_dict(settings),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_recycle=1800,
        hide_parameters=True,
        json_deserializer=values.read_json,
    )
    event.listen(engine, "connect", lambda connection, record: values.register(connection))
    _check_rested_connections(engine)
    return engine


def _check_rested_connections(engine: Engine) -> None:
    """Ask a connection whether it still lives if it has rested; asking each time would double the round trips."""

    def returned(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = time.monotonic()

    def taken(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        rested = time.monotonic() - record.info.get(_RETURNED, time.monotonic())
        if rested < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as exc:
            raise DisconnectionError from exc

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)


def driver_url(url: str) -> str:
    """The same URL naming the driver we ship, whichever of the usual spellings the operator used."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg2://" + url.removeprefix(prefix)
    return url
