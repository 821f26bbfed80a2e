"""A retry works on the nodes that failed, and on them only, with the design of the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from drydock.errors import InvalidInput, NothingToRetry, TaskNotEnded, TaskNotFound
from drydock.model.boot_action import Report, ReportStatus
from drydock.model.task import ResultStatus, Task
from tests.factories.site import site
from tests.factories.tasks import named_nodes
from tests.orchestrator.world import World


def deploy_with_failures(world: World, *failing: str, force: bool = False) -> Task:
    task = world.create("deploy_nodes", force=force)
    run_with_failures(world, *failing)
    return world.orchestrator.task(task.id)


def run_with_failures(world: World, *failing: str) -> None:
    def report() -> None:
        for subtask in world.open_tasks():
            action = world.actions_of(subtask.id).get("greet")
            given = world.provisioner.deployments.get(subtask.node or "")
            if action is None or action.status or given is None or given.id != str(action.context_id):
                continue
            status = ReportStatus.FAILURE if subtask.node in failing else ReportStatus.SUCCESS
            world.boot.report(action.id, world.key_of(action.node), Report(status))

    world.run_until_idle(before=report)


def test_only_the_failed_nodes_are_done_again_with_the_pinned_design(world: World) -> None:
    first = deploy_with_failures(world, "n02", "n03")
    assert first.result.failures == ("n02", "n03")
    second = world.orchestrator.create_task(world.orchestrator.retry_of(first.id, created_by="tester"))
    assert (second.retry_of, second.design_digest) == (first.id, first.design_digest)
    world.run_until_idle(before=world.machines_report)
    ended = world.orchestrator.task(second.id)
    assert (ended.result.status, ended.result.successes) == (ResultStatus.SUCCESS, ("n02", "n03"))
    assert set(world.subtasks(second.id)) == {"n02", "n03"}
    assert world.provisioner.installs == {"n01": 1, "n02": 2, "n03": 2}


def test_terminated_nodes_count_as_failed_and_force_is_kept(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02"])).ref, force=True)
    world.work()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    new = world.orchestrator.retry_of(task.id, created_by="tester")
    assert new.force
    assert new.node_filter is not None
    assert new.node_filter["filter_set"][0]["node_names"] == ["n01", "n02"]


def ask_again(world: World, task: Task) -> Task:
    return world.orchestrator.create_task(world.orchestrator.retry_of(task.id, created_by="tester"))


def failing_with_force(world: World, *failing: str) -> Task:
    return deploy_with_failures(world, *failing, force=True)


def scope_of(task: Task) -> list[str]:
    assert task.node_filter is not None
    names: list[str] = task.node_filter["filter_set"][0]["node_names"]
    return names


def test_what_a_retry_brought_up_is_not_wiped_by_the_next(world: World) -> None:
    first = failing_with_force(world, "n02", "n03")
    ask_again(world, first)
    world.run_until_idle(before=world.machines_report)
    with pytest.raises(NothingToRetry, match="came to success later"):
        ask_again(world, first)
    assert world.provisioner.installs == {"n01": 1, "n02": 2, "n03": 2}


def test_of_a_retry_that_went_half_well_only_the_rest_is_done_again(world: World) -> None:
    first = failing_with_force(world, "n02", "n03")
    ask_again(world, first)
    run_with_failures(world, "n03")
    third = ask_again(world, first)
    assert scope_of(third) == ["n03"]
    world.run_until_idle(before=world.machines_report)
    assert world.provisioner.installs == {"n01": 1, "n02": 2, "n03": 3}


@pytest.mark.parametrize("later", ["deploy_nodes", "prepare_nodes"])
def test_any_later_task_that_brought_a_node_up_counts(world: World, later: str) -> None:
    first = failing_with_force(world, "n02")
    world.create(later, node_filter=named_nodes("n02"), force=True)
    world.run_until_idle(before=world.machines_report)
    if later == "prepare_nodes":
        assert scope_of(ask_again(world, first)) == ["n02"]
    else:
        with pytest.raises(NothingToRetry):
            ask_again(world, first)


def test_what_was_destroyed_since_is_done_again(world: World) -> None:
    first = failing_with_force(world, "n02")
    for action in ("deploy_nodes", "destroy_nodes"):
        world.create(action, node_filter=named_nodes("n02"))
        world.run_until_idle(before=world.machines_report)
    assert scope_of(ask_again(world, first)) == ["n02"]


def test_a_machine_that_was_brought_up_since_is_not_destroyed_by_a_retry(world: World) -> None:
    task = world.create("destroy_nodes", node_filter=named_nodes("n01"))
    world.work()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    assert world.orchestrator.task(task.id).result.failures == ("n01",)
    world.create("deploy_nodes", node_filter=named_nodes("n01"))
    world.run_until_idle(before=world.machines_report)
    with pytest.raises(NothingToRetry):
        ask_again(world, task)


def test_a_retry_is_not_asked_for_twice_at_a_time(world: World) -> None:
    first = failing_with_force(world, "n02")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask_again, world, first) for _ in range(4)]
    refused = [one.exception() for one in asked if one.exception() is not None]
    assert [type(error) for error in refused] == [NothingToRetry] * 3
    assert "is being retried" in str(refused[0])


def test_a_retry_that_waited_for_another_leaves_alone_what_that_brought_up(world: World) -> None:
    first = failing_with_force(world, "n02")
    second = ask_again(world, first)
    run_with_failures(world, "n02")
    # Both are for n02: one retries the first task, one its retry.
    third, fourth = ask_again(world, second), ask_again(world, first)
    world.run_until_idle(before=world.machines_report)
    assert world.provisioner.installs["n02"] == 3
    (told,) = [message.message for message in world.subtasks(fourth.id)["n02"].result.messages]
    assert told == f"n02 came to success by task {third.id} meanwhile"
    assert world.orchestrator.task(fourth.id).result.status is ResultStatus.SUCCESS


def test_the_same_key_asks_for_the_same_retry_whatever_happened_meanwhile(world: World) -> None:
    first = failing_with_force(world, "n02", "n03")
    new = replace(world.orchestrator.retry_of(first.id, created_by="tester"), idempotency_key="again")
    made = world.orchestrator.create_task(new)
    assert world.orchestrator.create_task(new).id == made.id
    world.run_until_idle(before=world.machines_report)
    again = replace(world.orchestrator.retry_of(first.id, created_by="tester"), idempotency_key="again")
    assert world.orchestrator.create_task(again).id == made.id


def test_what_cannot_be_retried_says_why(world: World) -> None:
    retry = world.orchestrator.retry_of
    with pytest.raises(TaskNotFound):
        retry(uuid4(), created_by="tester")
    task = world.create("deploy_nodes")
    with pytest.raises(TaskNotEnded, match="queued"):
        retry(task.id, created_by="tester")
    world.run_until_idle(before=world.machines_report)
    with pytest.raises(NothingToRetry, match="no node of it failed"):
        retry(task.id, created_by="tester")
    with pytest.raises(InvalidInput, match=str(task.id)):
        retry(world.subtasks(task.id)["n01"].id, created_by="tester")
    invalid = world.create("deploy_nodes", design_ref="gopher://example.invalid/design")
    world.run_until_idle()
    with pytest.raises(NothingToRetry, match="it had come to no node"):
        retry(invalid.id, created_by="tester")
