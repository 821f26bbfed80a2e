"""``drydock node hold``: a name that nothing has is held, and the operator is warned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from tests.unit.client.peer import Peer, status_body

Run = Callable[..., Result]


@pytest.mark.parametrize("name", ["n1", "N1", "n2"])
def test_a_node_that_is_known_is_held(run: Run, peer: Peer, name: str) -> None:
    result = run("node", "hold", name, "--reason", "a fan")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"Node {name} is held until it is released.\n", "")
    assert peer.held == {name}


@pytest.mark.parametrize(
    ("name", "guess"),
    [("n1O", "; did you mean n1?"), ("N2.example.com", "; did you mean n2?"), ("storage", "")],
)
def test_a_name_that_nothing_has_is_held_with_a_warning(run: Run, peer: Peer, name: str, guess: str) -> None:
    result = run("node", "hold", name, "--reason", "a fan")
    assert (result.exit_code, peer.held) == (0, {name})
    warning = f"Warning: the server knows no node {name}, and holds this name all the same{guess}\n"
    assert (result.stdout, result.stderr) == (f"Node {name} is held until it is released.\n", warning)


def test_nothing_is_said_of_what_the_user_may_not_read(run: Run, peer: Peer) -> None:
    hold = {"hostname": "storage", "until": None}
    peer.refusals = [("200 OK", hold), ("403 Forbidden", status_body("you may not", "forbidden"))]
    result = run("node", "hold", "storage", "--reason", "a fan")
    assert (result.exit_code, result.stderr) == (0, "")
