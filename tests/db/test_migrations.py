"""Migrations go up and down and agree with ``tables.py``."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from drydock.db import migrate
from drydock.db.engine import driver_url
from drydock.db.tables import metadata


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    name = f"drydock_migrations_{uuid4().hex[:12]}"
    server = create_engine(driver_url(database_url), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(driver_url(database_url)).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def test_up_twice_down_and_up_again(empty_database: str) -> None:
    engine = create_engine(empty_database)
    migrate.upgrade(empty_database)
    migrate.upgrade(empty_database)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    migrate.downgrade(empty_database, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate.upgrade(empty_database)
    engine.dispose()


def test_the_migrated_schema_is_what_tables_py_says(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
