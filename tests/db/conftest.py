from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine

from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.db.unit_of_work import UnitOfWork
from tests.factories.rows import delete_rows


@pytest.fixture(scope="session")
def _rolled_back(database_url: str) -> Iterator[Engine]:
    """One for all tests of a process: it keeps the statements that it has compiled."""
    engine = connect(database_url, pool_size=1, max_overflow=0, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def connection(_rolled_back: Engine) -> Iterator[Connection]:
    """One transaction, rolled back after the test."""
    with _rolled_back.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def uow(connection: Connection) -> UnitOfWork:
    return UnitOfWork(connection)


@pytest.fixture(scope="session")
def committing_url(new_migrated_database: Callable[[], str]) -> str:
    """A database for tests that commit; each leaves rows to ``engine``, which deletes them."""
    return new_migrated_database()


@pytest.fixture(scope="session")
def _committing(committing_url: str) -> Engine:
    """As ``_rolled_back``. Each test closes the pool."""
    return connect(committing_url, pool_size=3, max_overflow=0, application_name="tests")


@pytest.fixture
def engine(committing_url: str) -> Iterator[Engine]:
    """For a look past the repositories. All rows are deleted after the test."""
    engine = create_engine(driver_url(committing_url), pool_pre_ping=True)  # tests end connections
    yield engine
    with engine.begin() as connection:
        delete_rows(connection)
    engine.dispose()


@pytest.fixture
def database(_committing: Engine, engine: Engine) -> Iterator[Database]:
    database = Database(_committing)
    yield database
    database.close()
