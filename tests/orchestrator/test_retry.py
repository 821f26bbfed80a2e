"""A retry works on the nodes that failed, and on them only, with the design of the first time."""

from __future__ import annotations

from uuid import uuid4

import pytest

from drydock.errors import InvalidInput, NothingToRetry, TaskNotEnded, TaskNotFound
from drydock.model.boot_action import Report, ReportStatus
from drydock.model.task import ResultStatus, Task
from tests.orchestrator.sites import site
from tests.orchestrator.world import World


def deploy_with_failures(world: World, *failing: str) -> Task:
    task = world.create("deploy_nodes")

    def report() -> None:
        for subtask in world.open_tasks():
            action = world.actions_of(subtask.id).get("greet")
            if action is None or action.status or subtask.node not in world.provisioner.deployments:
                continue
            status = ReportStatus.FAILURE if subtask.node in failing else ReportStatus.SUCCESS
            world.boot.report(action.id, world.key_of(subtask.node), Report(status))

    world.run_until_idle(before=report)
    return world.orchestrator.task(task.id)


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
