"""What a person is to do is waited for until it is confirmed, and then the step has happened."""

from __future__ import annotations

import pytest

from drydock.drivers.node.base import NodeState
from drydock.drivers.oob.manual import ManualDriver
from drydock.errors import NoConfirmationAwaited, TaskNotFound
from drydock.model.task import ResultStatus, Task, TaskStatus
from tests.factories.site import site
from tests.orchestrator.test_driver_capabilities import begin, use_oob
from tests.orchestrator.world import TIMEOUT_SECONDS, World


def confirm(world: World, task: Task, *, step: str | None = None, by: str = "alice", note: str = "") -> Task:
    return world.orchestrator.confirm(task.id, step=step, by=by, note=note)


def messages(task: Task) -> list[str]:
    return [message.message for message in task.result.messages]


def test_a_step_ends_when_it_is_confirmed_and_says_by_whom(world: World) -> None:
    use_oob(world, ManualDriver())
    waiting = begin(world, "prepare_nodes")
    shown = confirm(world, waiting, note="in the menu")
    (given,) = shown.confirmations
    assert (given.step, given.confirmed_by, given.note) == ("set_boot_device", "alice", "in the menu")
    assert given.confirmed is not None
    assert given.confirmed >= given.asked
    world.work()
    gone_on = world.subtasks(waiting.root_id)["n01"]
    assert "confirmed by alice: in the menu" in messages(gone_on)
    assert (gone_on.step, gone_on.reason) == ("power_off", "switch n01 off, then confirm")


def test_a_machine_is_prepared_by_hand(world: World) -> None:
    use_oob(world, ManualDriver())
    waiting = begin(world, "prepare_nodes")
    for step in ("set_boot_device", "power_off", "power_on"):
        assert world.orchestrator.task(waiting.id).step == step
        confirm(world, waiting)
        world.work()
    world.run_until_idle()
    ended = world.orchestrator.task(waiting.id)
    assert ended.result.status is ResultStatus.SUCCESS
    assert [each.step for each in ended.confirmations] == ["set_boot_device", "power_off", "power_on"]


def test_a_person_takes_as_long_as_it_takes(world: World) -> None:
    use_oob(world, ManualDriver())
    waiting = begin(world, "prepare_nodes")
    for _ in range(3):
        world.pass_time(TIMEOUT_SECONDS)
        world.work()
    shown = world.orchestrator.task(waiting.id)
    assert (shown.status, shown.step, shown.deadline_at) == (TaskStatus.RUNNING, "set_boot_device", None)


def test_a_parent_confirms_all_that_wait(world: World) -> None:
    use_oob(world, ManualDriver())
    parent = world.create("prepare_nodes", design_ref=world.store(site(["n01", "n02"])).ref)
    for _ in range(5):
        world.work()
        world.pass_time(16)
    confirm(world, parent)
    world.work()
    assert {task.step for task in world.subtasks(parent.id).values()} == {"power_off"}


def test_a_repeated_request_confirms_nothing_else(world: World) -> None:
    use_oob(world, ManualDriver())
    waiting = begin(world, "prepare_nodes")
    confirm(world, waiting, step="set_boot_device")
    assert confirm(world, waiting, by="bob").confirmations[0].confirmed_by == "alice"
    world.work()
    again = confirm(world, waiting, step="set_boot_device", by="bob")
    assert [(each.step, each.confirmed_by) for each in again.confirmations] == [
        ("set_boot_device", "alice"),
        ("power_off", None),
    ]


def test_what_waits_for_no_person_cannot_be_confirmed(world: World) -> None:
    task = world.create("prepare_nodes")
    with pytest.raises(NoConfirmationAwaited):
        confirm(world, task)
    world.run_until_idle()
    with pytest.raises(NoConfirmationAwaited, match="at step power_off"):
        confirm(world, task, step="power_off")
    world.forget_everything()
    with pytest.raises(TaskNotFound):
        confirm(world, task)


def test_a_terminated_installation_waits_until_the_machine_was_switched_off(world: World) -> None:
    world.provisioner.outcome = NodeState.DEPLOYING
    use_oob(world, ManualDriver())
    installing = begin(world, "deploy_nodes", rounds=12)
    assert installing.step == "await_deployment"
    world.orchestrator.terminate(installing.id, by="operator")
    for seconds in (1, 1, TIMEOUT_SECONDS, TIMEOUT_SECONDS):
        world.work()
        world.pass_time(seconds)
    assert world.orchestrator.task(installing.id).reason == "switch n01 off, then confirm"
    confirm(world, installing)
    world.run_until_idle()
    ended = world.orchestrator.task(installing.id)
    assert (ended.status, ended.result.reason) == (
        TaskStatus.TERMINATED,
        "terminated by operator at step stop_machine; confirmed by alice",
    )
    with pytest.raises(NoConfirmationAwaited):
        confirm(world, installing, step="power_off")
