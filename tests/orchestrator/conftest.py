from __future__ import annotations

from collections.abc import Iterator

import pytest

from drydock.db.engine import connect
from tests.orchestrator.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Several connections are at work, so that a rolled-back savepoint would not do: the tables are emptied."""
    engine = connect(database_url, pool_size=8, max_overflow=8, application_name="tests")
    world = World(engine)
    world.forget_everything()
    try:
        yield world
    finally:
        world.forget_everything()
        world.database.close()
