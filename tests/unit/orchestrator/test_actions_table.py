"""The table of actions, the workflows and the names that were released say the same."""

from __future__ import annotations

from pathlib import Path

from drydock.model.actions import ACTIONS, NODE_STEPS, REQUESTABLE, ROWS, Action
from drydock.orchestrator.workflows.table import WORKFLOWS

RELEASED = Path(__file__).with_name("released_steps.txt")


def test_every_action_has_a_workflow_and_is_in_the_table_once() -> None:
    listed = [action for row in ROWS for action in (row.action, row.of_node) if action is not None]
    assert sorted(listed) == sorted(Action)
    assert set(WORKFLOWS) == set(Action)
    assert set(REQUESTABLE.values()) == set(ACTIONS)


def test_the_steps_of_nodes_are_the_workflows() -> None:
    found = {row.of_node: row.node_steps for row in ROWS if row.of_node is not None}
    assert found == {action: tuple(step.name for step in WORKFLOWS[action].steps) for action in found}
    assert found == NODE_STEPS


def test_no_released_name_of_a_step_is_gone_and_each_new_one_is_listed() -> None:
    lines = RELEASED.read_text().splitlines()
    released = {tuple(line.split()) for line in lines if line and not line.startswith("#")}
    now = {(flow.action.value, step.name) for flow in WORKFLOWS.values() for step in flow.every_step}
    assert released - now == set()
    assert now - released == set()
