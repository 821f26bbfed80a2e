from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from drydock.db.engine import connect
from tests.orchestrator.world import World


@pytest.fixture(scope="session")
def worlds_engine(database_url: str) -> Engine:
    """One for all worlds of a process: it keeps the statements that it has compiled. Each world closes its pool."""
    return connect(database_url, pool_size=8, max_overflow=8, application_name="tests")


@pytest.fixture
def world(worlds_engine: Engine) -> Iterator[World]:
    """Several connections are at work, so that a rolled-back savepoint would not do: the rows are deleted."""
    world = World(worlds_engine)
    try:
        yield world
    finally:
        world.forget_everything()
        world.database.close()
