"""Runs migrations, one process at a time, on the connection that ``drydock.db.migrate`` made."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from drydock.db.tables import metadata

#: Any number that nobody else uses for an advisory lock in this database.
MIGRATION_LOCK = 0x44524459


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.configure(connection=connection, target_metadata=metadata)
        context.run_migrations()


run()
