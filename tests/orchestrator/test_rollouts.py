"""Waves of nodes, a budget of failures, and pauses."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import InvalidInput, TaskEnded, TaskNotPausable
from drydock.model.rollout import AWAIT_WAVE
from drydock.model.task import Lane, ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.factories.site import site
from tests.orchestrator.test_holds import hold
from tests.orchestrator.test_laws import WorkerKilled
from tests.orchestrator.world import World

NAMES = [f"n{number:02}" for number in range(1, 11)]
BROKEN = Progress(ProgressState.FAILED, "broken")


def create(world: World, rollout: Mapping[str, Any] | None, action: str = "deploy_nodes", **more: object) -> Task:
    return world.create(action, design_ref=world.store(site(NAMES)).ref, rollout=rollout, **more)


def begun(world: World, task: Task) -> set[str]:
    return {name for name, sub in world.subtasks(task.id).items() if sub.step not in (None, AWAIT_WAVE)}


def go_on(world: World, rounds: int = 6) -> None:
    for _ in range(rounds):
        world.machines_report()
        world.work()
        world.pass_time(15)


def run(world: World, task: Task) -> Task:
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


@pytest.mark.parametrize("action", ["prepare_nodes", "deploy_nodes", "destroy_nodes"])
def test_a_wave_begins_when_the_one_before_has_ended(world: World, action: str) -> None:
    task = create(world, {"waves": [1, "30%", "100%"]}, action)
    sizes: list[int] = []
    for _ in range(60):
        world.machines_report()
        world.work()
        open_now = {sub.wave for sub in world.subtasks(task.id).values() if sub.status.open and sub.step != AWAIT_WAVE}
        assert len(open_now) <= 1, "nodes of two waves at once"
        count = len(begun(world, task))
        if count and count not in sizes:
            sizes.append(count)
        if not world.open_tasks():
            break
        world.pass_time(15)
    assert sizes == [1, 3, 10]
    ended = world.orchestrator.task(task.id)
    assert (ended.result.status, ended.wave) == (ResultStatus.SUCCESS, 2)
    assert ended.rollout == {"waves": [1, "30%", "100%"], "max_failed": None, "pause": "never"}


def test_a_wave_that_adds_no_node_is_named_in_the_tasks_history(world: World) -> None:
    task = run(world, create(world, {"waves": ["50%", 1]}))
    assert "10 nodes in scope; waves that add no node: 1" in [line.message for line in task.result.messages]
    assert {sub.wave for sub in world.subtasks(task.id).values()} == {0, 1}


def test_once_the_budget_is_spent_no_node_begins(world: World) -> None:
    world.provisioner.refused = {"n02": BROKEN, "n03": BROKEN}
    task = run(world, create(world, {"waves": ["40%", "100%"], "max_failed": 2}))
    nodes = world.subtasks(task.id)
    assert {name for name, sub in nodes.items() if sub.result.status is ResultStatus.SUCCESS} == {"n01", "n04"}
    unbegun = [nodes[name] for name in NAMES[4:]]
    assert {sub.status for sub in unbegun} == {TaskStatus.TERMINATED}
    assert {sub.result.reason for sub in unbegun} == {"failure budget of 2 spent: n02, n03"}
    assert {sub.step for sub in unbegun} == {None}
    assert (task.status, task.result.status) == (TaskStatus.COMPLETE, ResultStatus.PARTIAL_SUCCESS)
    assert task.result.reason.startswith("failure budget of 2 spent: n02, n03; failed: ")
    assert set(world.provisioner.installs) == {"n01", "n04"}
    world.provisioner.refused = {}
    again = world.orchestrator.create_task(world.orchestrator.retry_of(task.id, created_by="tester"))
    assert again.rollout == task.rollout
    assert run(world, again).result.successes == ("n02", "n03", *NAMES[4:])


def test_the_budget_holds_over_all_waves(world: World) -> None:
    world.provisioner.refused = dict.fromkeys(("n01", "n03", "n05"), BROKEN)
    task = run(world, create(world, {"waves": [2, 4, 6, 8, 10], "max_failed": "20%"}))
    assert task.result.reason.startswith("failure budget of 2 spent: n01, n03; ")
    assert task.result.successes == ("n02", "n04")


def test_nodes_of_the_present_wave_that_have_not_begun_end_too(world: World) -> None:
    world.services = replace(world.services, start_rate=0.01)
    world.use_runner()
    world.provisioner.refused = {"n01": BROKEN}
    task = run(world, create(world, {"max_failed": 1}))
    assert task.result.reason.startswith("failure budget of 1 spent: n01")
    reasons = [sub.result.reason for sub in world.subtasks(task.id).values() if sub.status is TaskStatus.TERMINATED]
    assert reasons == ["failure budget of 1 spent: n01"] * 9


def test_a_task_pauses_after_its_first_wave_until_it_is_resumed(world: World) -> None:
    task = create(world, {"waves": [2, 5, "100%"], "pause": "after_first"})
    go_on(world, 20)
    paused = world.orchestrator.task(task.id)
    assert (paused.paused_by, len(begun(world, task))) == ("its rollout", 2)
    assert "paused by its rollout" in paused.reason
    world.orchestrator.resume(task.id, by="ann")
    ended = run(world, task)
    assert (ended.result.status, ended.paused_by) == (ResultStatus.SUCCESS, None)
    assert "resumed by ann" in [message.message for message in ended.result.messages]


def test_a_pause_after_each_wave(world: World) -> None:
    task = create(world, {"waves": [1, 2, 3], "pause": "after_each"})
    counts = []
    for _ in range(3):
        go_on(world, 15)
        counts.append(len(begun(world, task)))
        world.orchestrator.resume(task.id, by="ann")
    assert counts == [1, 2, 3]
    assert run(world, task).result.status is ResultStatus.SUCCESS


def test_an_operator_pauses_and_resumes_and_may_repeat_it(world: World) -> None:
    task = create(world, {"waves": [3, "100%"]})
    world.work()
    world.work()
    first = world.orchestrator.pause(task.id, by="ann")
    again = world.orchestrator.pause(task.id, by="bob")
    assert (again.paused, again.paused_by) == (first.paused, "ann")
    before = begun(world, task)
    go_on(world, 10)
    assert begun(world, task) == before
    for _ in range(2):
        assert world.orchestrator.resume(task.id, by="bob").paused is None
    ended = run(world, task)
    assert ended.result.status is ResultStatus.SUCCESS
    words = [message.message for message in ended.result.messages]
    assert (words.count("paused by ann"), words.count("resumed by bob")) == (1, 1)
    with pytest.raises(TaskEnded):
        world.orchestrator.pause(task.id, by="ann")


def test_a_task_paused_before_it_is_planned_begins_no_node(world: World) -> None:
    task = create(world, {})
    world.orchestrator.pause(task.id, by="ann")
    go_on(world, 8)
    assert (len(world.subtasks(task.id)), begun(world, task)) == (10, set())
    world.orchestrator.resume(task.id, by="ann")
    assert run(world, task).result.status is ResultStatus.SUCCESS


def test_a_task_without_a_rollout_is_not_pausable(world: World) -> None:
    with pytest.raises(TaskNotPausable, match="has no rollout"):
        world.orchestrator.pause(create(world, None).id, by="ann")


@pytest.mark.parametrize("rounds", [0, 1, 2, 4, 8, 12])
def test_it_terminates_at_any_point(world: World, rounds: int) -> None:
    task = create(world, {"waves": [2, "100%"], "pause": "after_first"})
    go_on(world, rounds)
    before = begun(world, task)
    world.orchestrator.terminate(task.id, by="ann")
    ended = run(world, task)
    assert (ended.status, begun(world, task)) == (TaskStatus.TERMINATED, before)


def test_other_tasks_do_not_wait_for_a_later_wave(world: World) -> None:
    paused = create(world, {"waves": [1, "100%"], "pause": "after_first"})
    go_on(world, 15)
    other = create(world, None, "verify_nodes")
    go_on(world, 4)
    assert world.orchestrator.task(other.id).result.status is ResultStatus.SUCCESS
    assert len(begun(world, paused)) == 1
    world.orchestrator.resume(paused.id, by="ann")
    assert run(world, paused).result.status is ResultStatus.SUCCESS


def test_a_node_that_is_held_costs_no_budget(world: World) -> None:
    hold(world, "n01")
    task = run(world, create(world, {"waves": [1, "100%"], "max_failed": 1}))
    assert task.result.successes == tuple(NAMES[1:])


@pytest.mark.parametrize("action", ["verify_nodes", "relabel_nodes", "verify_site"])
def test_other_actions_have_no_waves(world: World, action: str) -> None:
    with pytest.raises(InvalidInput, match="rollout: is for prepare_nodes, deploy_nodes, destroy_nodes"):
        world.create(action, rollout={})


def test_workers_without_rollouts_leave_its_rows_alone(world: World) -> None:
    """What they know are the other steps; nor do they see a subtask of a later wave that something woke."""
    task = create(world, {"waves": [1, "100%"]})
    older = {name for name in world.runner.known.names if not name.rpartition(" ")[2].startswith("rollout_")}
    older = {name for name in older if not name.endswith(("plan_waves", "await_waves"))}
    with world.database.unit_of_work() as uow:
        assert not any(uow.leases.claim("older", dict.fromkeys(Lane, 99), lease_seconds=30, steps=older).values())
    go_on(world, 2)
    for sub in world.subtasks(task.id).values():
        with world.database.unit_of_work() as uow:
            uow.task_signals.wake(sub.id)
            uow.commit()
    with world.database.unit_of_work() as uow:
        claimed = uow.leases.claim("older", dict.fromkeys(Lane, 99), lease_seconds=30, steps=older)
        assert {sub.wave for subs in claimed.values() for sub in subs} <= {0}


class Faulty(StepRunner):
    """Kills the worker before or after it writes, now and then."""

    chance: random.Random

    def record(self, step: AnyStep, answered: Sequence[tuple[Task, Outcome]]) -> Sequence[Task]:
        if self.chance.random() < 0.04:
            raise WorkerKilled
        following = super().record(step, answered)
        if self.chance.random() < 0.04:
            raise WorkerKilled
        return following


def failures(world: World, task_id: UUID) -> int:
    nodes = world.subtasks(task_id).values()
    return sum(1 for sub in nodes if sub.step is not None and sub.result.status is ResultStatus.FAILURE)


def run_with_faults(world: World, chance: random.Random, task: Task, budget: int | None) -> None:
    task_id, before = task.id, set[str]()
    for _ in range(400):
        world.machines_report()
        spent = budget is not None and failures(world, task_id) >= budget
        try:
            world.work()
        except WorkerKilled:
            world.pass_time(31)
        now = begun(world, task)
        assert not spent or now == before, "a node began after the budget was spent"
        before = now
        if not world.open_tasks():
            return
        if chance.random() < 0.1:
            (world.orchestrator.pause if chance.random() < 0.5 else world.orchestrator.resume)(task_id, by="ann")
        elif chance.random() < 0.3:
            world.orchestrator.resume(task_id, by="ann")
        world.pass_time(15)
    raise AssertionError("it does not end")


@pytest.mark.parametrize("seed", [0, 1, 4, 12, 29, 31])
def test_failures_stay_within_the_budget_and_what_was_in_flight(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    broken = chance.sample(NAMES, chance.randint(0, 6))
    world.provisioner.refused = dict.fromkeys(broken, BROKEN)
    ends = sorted(chance.sample(range(1, 11), chance.randint(1, 4)))
    budget = chance.choice([None, 1, 2, 3])
    pause = chance.choice(["never", "after_first", "after_each"])
    world.use_runner(Faulty)
    world.runner.chance = chance  # type: ignore[attr-defined]
    task = create(world, {"waves": ends, "max_failed": budget, "pause": pause})
    run_with_faults(world, chance, task, budget)
    nodes = world.subtasks(task.id).values()
    assert len(nodes) == 10
    assert not [sub for sub in nodes if sub.status.open]
    assert set(world.provisioner.installs.values()) <= {1}
    failed = [sub for sub in nodes if sub.step is not None and sub.result.status is ResultStatus.FAILURE]
    unbegun = [sub for sub in nodes if sub.step is None and "died or hung" not in sub.result.reason]
    if "died or hung" in world.orchestrator.task(task.id).result.reason:
        return
    # Chance may kill three workers in a row at one step.
    assert all(sub.node in broken or "died or hung" in sub.result.reason for sub in failed)
    if budget is None or len(failed) < budget:
        assert not unbegun
        assert {sub.node for sub in failed} >= set(broken)
        return
    wave = max(sub.wave or 0 for sub in nodes if sub.step is not None)
    assert all((sub.wave or 0) >= wave for sub in unbegun), "a later wave began before an earlier one was through"
    assert {sub.status for sub in unbegun} <= {TaskStatus.TERMINATED}
