"""The first step of a plan's nodes: does the plan still hold for this one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from drydock.bootaction.content_record import CONTENTS
from drydock.drivers.node.base import NodeState, Observation
from drydock.model.plan import Decision, PlannedNode
from drydock.model.rollout import CHECK_PLAN
from drydock.model.task import Lane
from drydock.orchestrator.services.plan_facts import known, observed
from drydock.orchestrator.workflows.already_done import not_yet
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.workflow import AnyStep, BulkStep, NodeBatch, StepContext
from drydock.plan.staleness import changed

#: Machines that can be deployed, or installed anew, as they are.
_PREPARED = (NodeState.READY, NodeState.DEPLOYING, NodeState.DEPLOYED, NodeState.FAILED)


def planned_steps(preparation: Sequence[AnyStep], first: AnyStep) -> tuple[AnyStep, ...]:
    """The steps of a plan's node before those of its action; ``first`` of these follows where no ``preparation`` is
    needed.
    """

    def check_plan(batch: NodeBatch) -> Mapping[UUID, Outcome]:
        names = batch.names
        with batch.services.database.statements() as uow:
            planned = uow.plans.of_tasks([ctx.task for ctx in batch.contexts])
            again = uow.plans.retried(batch.task_ids)
            recorded = uow.deployed_nodes.of_nodes(names)
        seen = batch.provisioner.observe(names)

        def check(ctx: StepContext) -> Outcome:
            waiting = not_yet(ctx, seen[ctx.node], batch.provisioner.name)
            if waiting is not None:
                return waiting
            node = planned.get(ctx.task.id)
            if node is None:
                return Failed("its plan has been deleted")
            now = known(recorded.get(ctx.node), seen[ctx.node])
            deployment = None if now is None else str(now.deployment_id)
            why = _changed(node, deployment, seen[ctx.node], again=ctx.task.id in again)
            if why is not None:
                return Failed(f"plan_stale: {why}; make a new plan")
            prepare = node.decision is Decision.DEPLOY and seen[ctx.node].state not in _PREPARED
            return Done(f"as planned: {node.decision}", goes_on_at=None if prepare else first.name)

        return batch.each(check)

    return (BulkStep(CHECK_PLAN, check_plan, timeout="identify_node", lane=Lane.WATCH), *preparation)


def planned_contents(batch: NodeBatch) -> Mapping[UUID, str]:
    """What the plans of these nodes rest on of the contents of their assets; by subtask, where there is something."""
    tasks = [ctx.task for ctx in batch.contexts if ctx.task.plan is not None]
    if not tasks:
        return {}
    with batch.services.database.statements() as uow:
        planned = uow.plans.of_tasks(tasks)
    return {task_id: node.rests_on[CONTENTS] for task_id, node in planned.items() if CONTENTS in node.rests_on}


def _changed(node: PlannedNode, recorded: str | None, seen: Observation, *, again: bool) -> str | None:
    """In the words of ``staleness``; None if nothing has changed.

    ``again``: of a retry. What the attempt before it did to the machine is no change: it may have no record any more,
    and be in any state.
    """
    now = {"recorded": recorded or "none", "observed": observed(seen).value}
    compared = {name: value for name, value in node.rests_on.items() if name in now}
    if again:
        compared.pop("observed")
        if recorded is None:
            compared.pop("recorded")
    return changed(compared, now)
