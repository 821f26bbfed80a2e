from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.client.peer import Peer, serving


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    with serving(made):
        yield made
