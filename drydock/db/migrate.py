"""Bring a database's schema to the version this package needs, with the migrations that travel with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from drydock.db.connections import Connections
from drydock.db.engine import make_engine
from drydock.db.outages import NoOutageLog
from drydock.db.schema import Schema, State, known_revisions, migrations_folder, read_schema
from drydock.errors import DatabaseUnsuitable, InvalidInput


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing. Safe to run twice, and by two at once: the second waits for the first.

    Raises ``ConfigurationError``, ``DatabaseUnavailable``; ``DatabaseUnsuitable`` for a database that is not ours, or
    of a later version; ``InvalidInput`` for a revision that this version does not have.
    """
    with _connected(url) as connection:
        _require_ours(read_schema(connection))
        _run(command.upgrade, connection, revision)


def downgrade(url: str, revision: str) -> None:
    """Raises as ``upgrade`` does."""
    with _connected(url) as connection:
        _require_ours(read_schema(connection))
        _run(command.downgrade, connection, revision)


def current(url: str) -> Schema:
    """What the database has. Raises ``ConfigurationError``, ``DatabaseUnavailable``."""
    with _connected(url) as connection:
        return read_schema(connection)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """A connection on which a migration may take as long as it takes."""
    connections = Connections(url, application_name="drydock-manage", statement_seconds=None, outages=NoOutageLog())
    engine = make_engine(connections, pool_size=1, max_overflow=0)
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, psycopg2.Error) as exc:
        connections.fail(exc, None)
    finally:
        engine.dispose()
        connections.close()


def _require_ours(schema: Schema) -> None:
    if schema.state is State.FOREIGN:
        raise DatabaseUnsuitable(schema.text)
    if schema.revision and schema.revision not in known_revisions():
        raise DatabaseUnsuitable(f"{schema.text}; only the version that made it can change it. Nothing was changed")


def _run(change: Callable[[Config, str], None], connection: Connection, revision: str) -> None:
    connection.rollback()
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    try:
        change(config, revision)
    except CommandError as exc:
        known = ", ".join(known_revisions())
        raise InvalidInput(f"there is no way to {revision}; there are base, {known}, head", field="revision") from exc
