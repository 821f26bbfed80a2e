from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from drydock.cli.main import cli
from tests.unit.client.conftest import peer as peer
from tests.unit.client.peer import Peer

Run = Callable[..., Result]


@pytest.fixture
def run(peer: Peer) -> Run:
    """Runs ``drydock ARGUMENTS`` against the peer as ``admin``; ``environ`` overrides."""
    mine = dict.fromkeys(("OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD"))

    def call(*arguments: str, stdin: bytes | None = None, **environ: str | None) -> Result:
        env = {**mine, "DRYDOCK_URL": peer.url, "OS_TOKEN": "admin", **environ}
        return CliRunner().invoke(cli, arguments, env=env, input=stdin)

    return call
