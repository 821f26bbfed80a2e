"""How far nodes are: the display's list of steps agrees with the server's."""

from __future__ import annotations

import pytest

from drydock.cli.steps import fraction_done
from drydock.client.watching import node_progress
from drydock.model.actions import NODE_STEPS
from tests.unit.client.peer import subtask


def test_how_far_a_site_is() -> None:
    nodes = [
        subtask("n1", status="queued"),
        subtask("n2", step="await_boot_actions"),
        subtask("n3", step="apply_storage", status="complete", outcome="failure"),
        subtask("n4", status="complete", outcome="success"),
    ]
    assert fraction_done(map(node_progress, nodes)) == pytest.approx(
        (0 + (1 - 1 / len(NODE_STEPS["deploy_node"])) + 1 + 1) / 4
    )
    assert fraction_done([]) == 0.0
    unknown = node_progress({**subtask("n5", step="dance"), "action": "juggle_node"})
    assert fraction_done([unknown]) == 0.0
