"""Runs migrations, one process at a time, on the connection that ``drydock.db.migrate`` made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection, text

from drydock.db.tables import metadata

#: Any number that nobody else uses for an advisory lock in this database.
MIGRATION_LOCK = 0x44524459


#: Seconds between two attempts to get the lock.
LOOK_SECONDS = 0.1


def run() -> None:
    """In one transaction, as far as no migration ends it: see 0016."""
    connection: Connection = context.config.attributes["connection"]
    with _alone(connection):
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """The lock is the session's: it outlives a transaction, and ends with the connection if this process dies.

    NOTE: it is not waited for within a statement. An index that is built concurrently waits for statements that began
    before it, and the two would wait for each other.
    """
    while not _scalar(connection, "SELECT pg_try_advisory_lock(:lock)"):
        time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            _scalar(connection, "SELECT pg_advisory_unlock(:lock)")


def _scalar(connection: Connection, statement: str) -> object:
    found = connection.scalar(text(statement), {"lock": MIGRATION_LOCK})
    connection.rollback()
    return found


run()
