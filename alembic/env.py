"""Runs migrations, one process at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from drydock.db.tables import metadata

#: Any number that nobody else uses for an advisory lock in this database.
MIGRATION_LOCK = 0x44524459


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_engine(url, poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            context.configure(connection=connection, target_metadata=metadata)
            context.run_migrations()
    finally:
        engine.dispose()


run()
