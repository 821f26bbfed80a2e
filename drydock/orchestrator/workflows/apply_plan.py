"""The action apply_plan: the site is prepared, then the nodes that the plan changes go in waves.

Each of them is a subtask deploy_node or destroy_node that first looks whether the plan still holds, see
``check_plan.py``. Nodes that the plan keeps have none.
"""

from __future__ import annotations

from drydock.counting import counted
from drydock.model.actions import Action
from drydock.model.plan import Decision, PlanHead, PlannedNode
from drydock.model.rollout import FIRST_STEP, Rollout
from drydock.model.task import Lane
from drydock.orchestrator.services.plans import planned_waves
from drydock.orchestrator.services.scope_guard import refusal
from drydock.orchestrator.services.task_retry import names_of
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.prepare_site import prepare_site
from drydock.orchestrator.workflows.waves import await_waves
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow

#: By decision: the subtask's action, and whether it installs a deployed machine again.
_WORK = {
    Decision.DEPLOY: (Action.DEPLOY_NODE, False),
    Decision.REDEPLOY: (Action.DEPLOY_NODE, True),
    Decision.DESTROY: (Action.DESTROY_NODE, False),
}


def prepare_planned_site(ctx: StepContext) -> Outcome:
    """In a retry only for nodes that it deploys: the task before it prepared what changes of the site."""
    plan = _plan(ctx)
    touched = _touched(plan, ctx)
    # The API refused it, but one without this check may have taken a retry.
    refused = refusal(ctx.task, [node.name for node in touched], len(touched))
    if refused is not None:
        return Failed(refused.message)
    changes_site = plan.site and plan.applied_by == ctx.task.id
    if not changes_site and all(node.decision is Decision.DESTROY for node in touched):
        return Done("nothing of the site changes, and nothing is deployed")
    return prepare_site(ctx)


def plan_waves(ctx: StepContext) -> Outcome:
    touched = _touched(_plan(ctx), ctx)
    rollout = Rollout.stored(ctx.task.rollout)
    waves = planned_waves(touched, rollout)
    with ctx.transaction() as uow:
        for decision, (action, force) in _WORK.items():
            names = {node.name for node in touched if node.decision is decision}
            uow.task_queue.add_subtasks(
                ctx.task,
                action,
                [name for name in waves if name in names],
                lane=Lane.WATCH,
                start_rate=ctx.services.start_rate,
                waves=waves,
                force=force,
            )
        uow.rollouts.begin(ctx.task.id, budget=rollout.budget(len(touched)))
        uow.commit()
    if not touched:
        return Done("the plan changes no node")
    return Done(f"{counted(len(touched), 'node')} to change{rollout.without_nodes(len(touched))}")


def _plan(ctx: StepContext) -> PlanHead:
    with ctx.services.database.statements() as uow:
        return uow.plans.get(ctx.task.plan or "")


def _touched(plan: PlanHead, ctx: StepContext) -> list[PlannedNode]:
    """In a retry only those that are tried again."""
    with ctx.services.database.statements() as uow:
        touched = uow.plans.touched(plan.id)
    if plan.applied_by == ctx.task.id:
        return list(touched)
    names = set(names_of(ctx.task.node_filter))
    return [node for node in touched if node.name in names]


APPLY_PLAN = Workflow(
    Action.APPLY_PLAN,
    (
        Step(FIRST_STEP, resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("rollout_check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("prepare_planned_site", prepare_planned_site, timeout="prepare_site", lane=Lane.TASK),
        Step("plan_waves", plan_waves, timeout="resolve_design", lane=Lane.TASK),
        Step("await_waves", await_waves, timeout=None, lane=Lane.TASK),
    ),
)
