from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.db.tables import metadata
from drydock.db.unit_of_work import UnitOfWork


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """One transaction, rolled back after the test."""
    engine = connect(database_url, pool_size=1, max_overflow=0, application_name="tests")
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()
    engine.dispose()


@pytest.fixture
def uow(connection: Connection) -> UnitOfWork:
    return UnitOfWork(connection)


@pytest.fixture(scope="session")
def committing_url(new_migrated_database: Callable[[], str]) -> str:
    """A database for tests that commit; each leaves rows to ``engine``, which deletes them."""
    return new_migrated_database()


@pytest.fixture
def engine(committing_url: str) -> Iterator[Engine]:
    """For a look past the repositories. All rows are deleted after the test."""
    engine = create_engine(driver_url(committing_url))
    yield engine
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE " + ", ".join(metadata.tables)))
    engine.dispose()


@pytest.fixture
def database(committing_url: str, engine: Engine) -> Iterator[Database]:
    database = Database(connect(committing_url, pool_size=3, max_overflow=0, application_name="tests"))
    yield database
    database.close()
