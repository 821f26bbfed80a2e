from __future__ import annotations

from collections.abc import Iterator

import pytest

from drydock.db.engine import connect
from tests.orchestrator.world import World
from tests.security.deployment import Site


@pytest.fixture
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A worker's inside and a served API on one database, which is emptied before and after."""
    engine = connect(database_url, pool_size=8, max_overflow=8, application_name="tests")
    world = World(engine)
    world.forget_everything()
    try:
        with Site.serving(world, database_url, tmp_path_factory.mktemp("site")) as site:
            yield site
    finally:
        world.forget_everything()
        engine.dispose()
