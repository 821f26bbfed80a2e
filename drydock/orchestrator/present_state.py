"""Whether a node already is what a task wants it to be: such a node is left alone, and the task says so."""

from __future__ import annotations

from uuid import UUID

from drydock.drivers.node.base import NodeState, Observation
from drydock.model.task import ResultStatus
from drydock.orchestrator.outcome import Done
from drydock.orchestrator.workflow import StepContext

FORCED = "asked to go ahead whatever state the node is in"


def observed(ctx: StepContext) -> Observation:
    return ctx.services.provisioner.observe([ctx.node])[ctx.node]


def done_if_deployed(ctx: StepContext, seen: Observation) -> Done | None:
    """The end of the task, if the machine runs what was installed on it; None if there is something to do.

    What the provisioner says counts, unless we know better: a deployment that did not end well here, or whose key was
    revoked because another one or a destruction began. One that is on no record, since old tasks are deleted, counts:
    to install it again by mistake would be worse than to be asked for ``force``.
    """
    if seen.state is not NodeState.DEPLOYED:
        return None
    known = None
    if (deployment_id := _uuid(seen.deployment_id)) is not None:
        with ctx.services.database.unit_of_work() as uow:
            known = uow.tasks.of_deployment(deployment_id)
    if known is None:
        return _leave(ctx, "deployed already, by a deployment that is not on record here")
    task, revoked = known
    if revoked or task.result.status is not ResultStatus.SUCCESS:
        return None
    design = "" if task.design_digest == ctx.task.design_digest else " from another design"
    return _leave(ctx, f"deployed already{design}, by task {task.id}")


def _leave(ctx: StepContext, why: str) -> Done:
    return Done(f"{ctx.node} is {why}; it is not touched without force", finished=True)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
