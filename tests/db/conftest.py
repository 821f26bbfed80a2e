from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from drydock.db.engine import driver_url
from drydock.db.unit_of_work import UnitOfWork


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """One transaction, rolled back after the test."""
    engine = create_engine(driver_url(database_url))
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()
    engine.dispose()


@pytest.fixture
def uow(connection: Connection) -> UnitOfWork:
    return UnitOfWork(connection)
