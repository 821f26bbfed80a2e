"""Steps of every task an operator asks for: pin the design, check it, one subtask per node, wait for them."""

from __future__ import annotations

from collections.abc import Callable

from drydock.counting import counted
from drydock.design.filters import select_nodes, unknown_criteria
from drydock.design.secrecy import without_password
from drydock.model.actions import ACTIONS, Action
from drydock.model.message import Level
from drydock.model.node_filter import parse_node_filter
from drydock.model.rollout import FIRST_STEP, Rollout, spread, waves_of
from drydock.model.rollup import roll_up
from drydock.model.task import Lane
from drydock.orchestrator.services.scope_guard import refusal, unconfirmed
from drydock.orchestrator.workflows.outcome import Done, Failed, Finished, Outcome, PinnedDesign, Wait
from drydock.orchestrator.workflows.waves import await_waves
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow

#: How often a parent looks at its subtasks when no wake-up reaches it.
LOOK_AGAIN_SECONDS = 10.0


def resolve_design(ctx: StepContext) -> Outcome:
    """Fetch once and pin: later steps see these bytes, whatever the document server says by then."""
    task = ctx.task
    if task.design_digest is not None:
        return Done()
    snapshot = ctx.services.designs.fetch(task.design_ref, created_by=task.created_by)
    pinned = f"design {without_password(task.design_ref)} pinned as {snapshot.digest}"
    return Done(pinned, kept=PinnedDesign(snapshot.digest))


def check_design(ctx: StepContext) -> Outcome:
    """What is taken down or relabelled may have been made of an image that is not offered any more."""
    design = ctx.checked_design if ACTIONS[ctx.task.action].uses_images else ctx.design
    if design.valid:
        warnings = sum(1 for message in design.messages if message.level is Level.WARNING)
        return Done(f"design is valid, {counted(warnings, 'warning')}")
    errors = tuple(f"{message.code} {message.message}" for message in design.messages if message.error)
    return Failed(f"the design has {counted(len(errors), 'error')}", details=errors)


def plan_nodes(action: Action, lane: Lane) -> Callable[[StepContext], Outcome]:
    """The step that makes one subtask of ``action`` per node in scope; ``lane``: of its first step.

    A scope that is not what was asked for fails the task before any node is touched. The subtasks of a rollout wait for
    their wave, see ``waves.py``.
    """

    def plan(ctx: StepContext) -> Outcome:
        node_filter = parse_node_filter(ctx.task.node_filter)
        nodes = select_nodes(ctx.site, node_filter)
        refused = refusal(ctx.task, nodes, len(ctx.site.nodes))
        if refused is not None:
            return Failed(refused.message)
        rate, without_nodes = ctx.services.start_rate, ""
        with ctx.transaction() as uow:
            if ctx.task.rollout is None:
                uow.task_queue.add_subtasks(ctx.task, action, nodes, lane=lane, start_rate=rate)
            else:
                rollout = Rollout.stored(ctx.task.rollout)
                waves = waves_of(spread((name, ctx.site.nodes[name].rack) for name in nodes), rollout)
                # In the order of their waves, so that tasks with the same nodes do not wait for each other in a circle.
                uow.task_queue.add_subtasks(ctx.task, action, list(waves), lane=lane, start_rate=rate, waves=waves)
                uow.rollouts.begin(ctx.task.id, budget=rollout.budget(len(nodes)))
                without_nodes = rollout.without_nodes(len(nodes))
            uow.commit()
        warnings = (*unconfirmed(ctx.task, nodes, len(ctx.site.nodes)), *unknown_criteria(ctx.site, node_filter))
        return Done(f"{counted(len(nodes), 'node')} in scope{without_nodes}", warnings=warnings)

    return plan


def await_nodes(ctx: StepContext) -> Outcome:
    """The nodes' outcomes are read once, when all have one; until then counting is enough."""
    with ctx.services.database.statements() as uow:
        nodes = uow.tasks.count_children(ctx.task.id)
        outcomes = () if nodes.still_open else uow.tasks.outcomes(ctx.task.id)
    if nodes.still_open:
        return Wait(LOOK_AGAIN_SECONDS, f"{nodes.total - nodes.still_open} of {counted(nodes.total, 'node')} finished")
    return Finished(roll_up(outcomes))


def for_each_node(action: Action, of_node: Workflow) -> Workflow:
    """The workflow of a task that takes each of its nodes through ``of_node``."""
    plan = plan_nodes(of_node.action, of_node.steps[0].lane)
    steps = (
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("plan_nodes", plan, timeout="resolve_design", lane=Lane.TASK),
        Step("await_nodes", await_nodes, timeout=None, lane=Lane.TASK),
    )
    if not ACTIONS[action].in_waves:
        return Workflow(action, steps)
    rollout = (
        Step(FIRST_STEP, resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("rollout_check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("plan_waves", plan, timeout="resolve_design", lane=Lane.TASK),
        Step("await_waves", await_waves, timeout=None, lane=Lane.TASK),
    )
    return Workflow(action, steps, rollout=rollout)
