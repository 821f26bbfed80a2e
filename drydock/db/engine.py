"""The connection pool, made from plain values."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

#: Every session: a lost client must not hold locks, a runaway statement must not hold a request.
SESSION_OPTIONS = "-c timezone=UTC -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"


def connect(url: str, *, pool_size: int, max_overflow: int, application_name: str) -> Engine:
    """An engine that has not connected yet. ``url`` as in ``postgresql://user:password@host/name``."""
    return create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "options": SESSION_OPTIONS,
            "application_name": application_name,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )


def driver_url(url: str) -> str:
    """The same URL naming the driver we ship, whichever of the usual spellings the operator used."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg2://" + url.removeprefix(prefix)
    return url
