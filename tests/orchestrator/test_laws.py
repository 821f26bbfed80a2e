"""The laws, for every workflow and each of its steps: it may run twice, it may fail, the worker may die after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from drydock.errors import DriverRefused, DriverUnavailable
from drydock.model.actions import REQUESTABLE, Action
from drydock.model.task import ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import AnyStep, Step, Workflow
from tests.orchestrator.world import World

REQUESTED = tuple(dict.fromkeys(REQUESTABLE.values()))
SUBTASK = {
    Action.VERIFY_NODES: Action.VERIFY_NODE,
    Action.RELABEL_NODES: Action.RELABEL_NODE,
    Action.PREPARE_NODES: Action.PREPARE_NODE,
    Action.DEPLOY_NODES: Action.DEPLOY_NODE,
    Action.DESTROY_NODES: Action.DESTROY_NODE,
    Action.APPLY_PLAN: Action.DEPLOY_NODE,
}


#: Appended to the name of an action: two waves, with a budget that three nodes spend together.
IN_WAVES = " in waves"
VARIANTS = (*REQUESTED, *(f"{action}{IN_WAVES}" for action in REQUESTED if WORKFLOWS[action].rollout))


def workflow_of(variant: str) -> Workflow:
    return WORKFLOWS[Action(variant.removesuffix(IN_WAVES))]


def every_step() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for requested in VARIANTS:
        workflow = workflow_of(requested)
        steps = workflow.rollout if requested.endswith(IN_WAVES) else workflow.steps
        found += [(requested, step.name) for step in steps]
        below = SUBTASK.get(workflow.action)
        if below is not None:
            planned = WORKFLOWS[below].planned if workflow.action is Action.APPLY_PLAN else ()
            found += [(requested, step.name) for step in (*planned, *WORKFLOWS[below].steps)]
    return found


Answered = Sequence[tuple[Task, Outcome]]


class WorkerKilled(BaseException):
    """What kill -9 looks like from inside: nothing after it runs, nothing is written."""


@dataclass
class Rule:
    """What is to happen at one step: ``once`` for the first task that gets there, else for all."""

    step: str
    happened: set[str] = field(default_factory=set)

    def applies(self, step: AnyStep, task: Task) -> bool:
        name = str(task.id)
        if step.name != self.step or name in self.happened:
            return False
        self.happened.add(name)
        return True


class EachStepTwice(StepRunner):
    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        super().attempt(step, tasks)
        return super().attempt(step, tasks)


class KilledAfterStep(StepRunner):
    rule: Rule

    def record(self, step: AnyStep, answered: Answered) -> Sequence[Task]:
        if any(self.rule.applies(step, task) for task, _ in answered):
            raise WorkerKilled
        return super().record(step, answered)


class KilledAfterRecord(StepRunner):
    rule: Rule

    def record(self, step: AnyStep, answered: Answered) -> Sequence[Task]:
        following = super().record(step, answered)
        if any(self.rule.applies(step, task) for task, _ in answered):
            raise WorkerKilled
        return following


class FailsAtStep(StepRunner):
    rule: Rule
    error: Exception

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        struck = [task for task in tasks if self.rule.applies(step, task)]
        if not struck:
            return super().attempt(step, tasks)
        error = self.error

        def broken(ctx: object) -> Outcome:
            raise error

        return super().attempt(Step(step.name, broken, timeout=step.timeout), tasks)


def use(world: World, kind: type[StepRunner], **attributes: object) -> None:
    world.use_runner(kind)
    for name, value in attributes.items():
        setattr(world.runner, name, value)


def create(world: World, variant: str) -> Task:
    """On a site of three nodes; a plan is that of a site of which nothing is known yet."""
    if variant == Action.APPLY_PLAN:
        ref = world.store().ref
        plan = world.plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="tester")
        return world.create(variant, design_ref="", plan=plan.id)
    rollout = {"waves": [2, "100%"], "max_failed": 3} if variant.endswith(IN_WAVES) else None
    return world.create(variant.removesuffix(IN_WAVES), rollout=rollout)


def run(world: World, action: str) -> Task:
    """The action on a site of three nodes, to its end; a killed worker is replaced after its lease lapsed."""
    task = create(world, action)
    for _ in range(40):
        try:
            world.run_until_idle(before=world.machines_report)
        except WorkerKilled:
            world.pass_time(31)
            continue
        return world.orchestrator.task(task.id)
    raise AssertionError("the worker was killed too often")


def assert_all_done(world: World, task: Task, action: str) -> None:
    action = action.removesuffix(IN_WAVES)
    assert (task.status, task.result.status) == (TaskStatus.COMPLETE, ResultStatus.SUCCESS), task.result
    if Action(action) not in SUBTASK:
        return
    assert task.result.successes == ("n01", "n02", "n03")
    assert {sub.result.status for sub in world.subtasks(task.id).values()} == {ResultStatus.SUCCESS}
    if action in ("deploy_nodes", "apply_plan"):
        assert set(world.provisioner.installs.values()) == {1}, "a machine was installed twice"
    if action == "relabel_nodes":
        assert set(world.labels.given) == {"n01", "n02", "n03"}
    if action in ("prepare_nodes", "apply_plan"):
        assert set(world.bmcs.resets.values()) == {1}, "a machine was switched on twice"


@pytest.mark.parametrize("action", VARIANTS)
def test_each_step_may_run_twice(world: World, action: str) -> None:
    use(world, EachStepTwice)
    assert_all_done(world, run(world, action), action)


@pytest.mark.parametrize(("action", "step"), every_step())
@pytest.mark.parametrize("kind", [KilledAfterStep, KilledAfterRecord])
def test_the_worker_may_die_after_each_step(world: World, action: str, step: str, kind: type[StepRunner]) -> None:
    rule = Rule(step)
    use(world, kind, rule=rule)
    task = run(world, action)
    assert rule.happened
    assert_all_done(world, task, action)


@pytest.mark.parametrize(("action", "step"), every_step())
@pytest.mark.parametrize("error", [DriverUnavailable("busy"), ZeroDivisionError("unforeseen")], ids=["passing", "bug"])
def test_each_step_may_fail_for_a_while(world: World, action: str, step: str, error: Exception) -> None:
    rule = Rule(step)
    use(world, FailsAtStep, rule=rule, error=error)
    task = run(world, action)
    assert rule.happened
    assert_all_done(world, task, action)


@pytest.mark.parametrize(("action", "step"), every_step())
def test_each_step_may_fail_for_good(world: World, action: str, step: str) -> None:
    use(world, FailsAtStep, rule=Rule(step), error=DriverRefused("no such thing"))
    task = run(world, action)
    assert (task.status, task.result.status) == (TaskStatus.COMPLETE, ResultStatus.FAILURE)
    told = [message.message for message in task.result.messages if message.error]
    assert any("no such thing" in line for line in told), told
    for subtask in world.subtasks(task.id).values():
        assert not subtask.status.open
        if subtask.status is TaskStatus.TERMINATED:
            # Its wave had not begun when its task ended, or when all others had failed.
            assert (subtask.step, action.endswith(IN_WAVES) or action == "apply_plan") == (None, True)
        elif subtask.result.status is ResultStatus.FAILURE:
            assert (subtask.step, subtask.result.reason) == (step, "no such thing")
