"""The laws, for every workflow and each of its steps: it may run twice, it may fail, the worker may die after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from drydock.errors import DriverRefused, DriverUnavailable
from drydock.model.actions import REQUESTABLE, Action
from drydock.model.task import NewTask, ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import AnyStep, Step, Workflow
from tests.factories.site import site
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
NODES = ("n01", "n02", "n03")


#: Appended to the name of an action: two waves, with a budget that three nodes spend together.
IN_WAVES = " in waves"
#: A plan that destroys its nodes; ``apply_plan`` itself deploys them. Both go in the same waves.
DESTROYS = f"{Action.APPLY_PLAN} that destroys"
VARIANTS = (*REQUESTED, DESTROYS, *(f"{action}{IN_WAVES}" for action in REQUESTED if WORKFLOWS[action].rollout))


def action_of(variant: str) -> Action:
    return Action(variant.partition(" ")[0])


def workflow_of(variant: str) -> Workflow:
    return WORKFLOWS[action_of(variant)]


def in_waves(variant: str) -> bool:
    return variant.endswith(IN_WAVES) or action_of(variant) is Action.APPLY_PLAN


def steps_below(variant: str) -> Sequence[AnyStep]:
    """Of each node."""
    if variant == DESTROYS:
        return (*WORKFLOWS[Action.DESTROY_NODE].planned, *WORKFLOWS[Action.DESTROY_NODE].steps)
    below = SUBTASK.get(action_of(variant))
    if below is None:
        return ()
    planned = WORKFLOWS[below].planned if action_of(variant) is Action.APPLY_PLAN else ()
    return (*planned, *WORKFLOWS[below].steps)


def every_step() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for requested in VARIANTS:
        workflow = workflow_of(requested)
        steps = workflow.rollout if requested.endswith(IN_WAVES) else workflow.steps
        found += [(requested, step.name) for step in (*steps, *steps_below(requested))]
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
    rollout = {"waves": [2, "100%"], "max_failed": 3} if in_waves(variant) else None
    if action_of(variant) is not Action.APPLY_PLAN:
        return world.create(action_of(variant), rollout=rollout)
    if variant == DESTROYS:
        _deploy(world, ("n09", *NODES))
    nodes = ("n09",) if variant == DESTROYS else NODES
    plan = world.plans.create(
        world.store(site(nodes)).ref, node_filter=None, chosen=None, destroy_unlisted=True, created_by="tester"
    )
    new = NewTask(Action.APPLY_PLAN, "", "tester", plan=plan.id, all_nodes=True, rollout=rollout)
    return world.orchestrator.create_task(new)


def _deploy(world: World, nodes: Sequence[str]) -> None:
    """By a worker that works as it should."""
    faulty = world.runner
    world.use_runner()
    world.create("deploy_nodes", design_ref=world.store(site(nodes)).ref)
    world.run_until_idle(before=world.machines_report)
    world.runner = faulty


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


def assert_all_done(world: World, task: Task, variant: str) -> None:
    action = action_of(variant)
    assert (task.status, task.result.status) == (TaskStatus.COMPLETE, ResultStatus.SUCCESS), task.result
    if action not in SUBTASK:
        return
    assert task.result.successes == NODES
    assert {sub.result.status for sub in world.subtasks(task.id).values()} == {ResultStatus.SUCCESS}
    if variant == DESTROYS:
        assert (world.provisioner.destroyed, set(world.provisioner.deployments)) == (set(NODES), {"n09"})
    elif action in (Action.DEPLOY_NODES, Action.APPLY_PLAN):
        assert set(world.provisioner.installs.values()) == {1}, "a machine was installed twice"
    if action is Action.RELABEL_NODES:
        assert set(world.labels.given) == {"n01", "n02", "n03"}
    if action is Action.PREPARE_NODES or variant == Action.APPLY_PLAN:
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
            assert (subtask.step, in_waves(action)) == (None, True)
        elif subtask.result.status is ResultStatus.FAILURE:
            assert (subtask.step, subtask.result.reason) == (step, "no such thing")
