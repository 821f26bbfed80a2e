"""A node that an operator holds is left alone by what would change it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drydock.errors import NodeHeld
from drydock.model.operator_hold import NewHold
from drydock.model.task import ResultStatus, TaskStatus
from drydock.orchestrator.services.operator_holds import OperatorHoldService
from tests.orchestrator.world import World


def hold(world: World, node: str = "n02", until: datetime | None = None) -> None:
    OperatorHoldService(world.database).hold(NewHold(node, "maintenance", "DIMM replaced", "ann", until))


@pytest.mark.parametrize("action", ["prepare_nodes", "deploy_nodes", "destroy_nodes", "relabel_nodes"])
def test_what_changes_machines_leaves_a_held_one_alone(world: World, action: str) -> None:
    hold(world, "N02")
    task = world.create(action)
    world.run_until_idle(before=world.machines_report)
    ended = world.orchestrator.task(task.id)
    assert (ended.result.status, ended.result.successes) == (ResultStatus.PARTIAL_SUCCESS, ("n01", "n03"))
    held = world.subtasks(task.id)["n02"]
    assert (held.status, held.result.status, held.step) == (TaskStatus.COMPLETE, ResultStatus.FAILURE, None)
    assert held.result.reason == "N02 is held by ann (maintenance: DIMM replaced) until it is released"
    assert held.result.reason in [message.message for message in held.result.messages if message.error]
    assert any(held.result.reason in message.message for message in ended.result.messages)
    assert "n02" not in {*world.provisioner.installs, *world.provisioner.destroyed, *world.bmcs.resets}


def test_reading_and_verifying_go_on(world: World) -> None:
    hold(world)
    task = world.create("verify_nodes")
    world.run_until_idle()
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS


def test_a_retry_after_the_release_does_what_was_left(world: World) -> None:
    hold(world)
    task = world.create("deploy_nodes")
    world.run_until_idle(before=world.machines_report)
    OperatorHoldService(world.database).release("n02")
    again = world.orchestrator.create_task(world.orchestrator.retry_of(task.id, created_by="tester"))
    world.run_until_idle(before=world.machines_report)
    assert world.orchestrator.task(again.id).result.successes == ("n02",)


def test_what_has_begun_goes_on(world: World) -> None:
    task = world.create("deploy_nodes")
    world.work()
    world.work()
    assert world.subtasks(task.id)["n02"].status is TaskStatus.RUNNING
    hold(world)
    world.run_until_idle(before=world.machines_report)
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS


def test_a_hold_ends_by_itself(world: World) -> None:
    hold(world, until=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(NodeHeld, match=r"n02 is held by ann .* until 20"):
        hold(world)
    world.expire_holds()
    task = world.create("deploy_nodes")
    world.run_until_idle(before=world.machines_report)
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS
