"""Whether a node already is what a task wants it to be: such a node is left alone, and the task says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from drydock.drivers.node.base import NodeState, Observation
from drydock.model.boot_context import Deployment
from drydock.model.task import ResultStatus, TaskResult
from drydock.orchestrator.workflows.outcome import Done, Finished, Outcome, Wait
from drydock.orchestrator.workflows.workflow import NodeBatch, StepContext, StepServices

FORCED = "asked to go ahead whatever state the node is in"


def look(batch: NodeBatch, already: Callable[[Observation], str | None] = lambda seen: None) -> Mapping[UUID, Outcome]:
    """Look at all nodes with one request. The tasks of those that are as wanted have succeeded.

    ``already`` says in words how a node that it finds as wanted is; a deployed node always is left alone. A node with
    which nothing can be begun now is waited for.
    """
    willing = _forced([ctx for ctx in batch.contexts if ctx.task.force])
    asked = [ctx for ctx in batch.contexts if not ctx.task.force]
    if not asked:
        return willing
    provisioner = batch.provisioner
    seen = provisioner.observe([ctx.node for ctx in asked])
    deployed = [seen[ctx.node].deployment_id for ctx in asked if seen[ctx.node].state is NodeState.DEPLOYED]
    known = _on_record(batch.services, deployed)
    looked_at = {
        ctx.task.id: _left_alone(ctx, seen[ctx.node], known, already(seen[ctx.node]))
        or not_yet(ctx, seen[ctx.node], provisioner.name)
        or Done(f"{provisioner.name} says: {seen[ctx.node].state}")
        for ctx in asked
    }
    return {**willing, **looked_at}


def not_yet(ctx: StepContext, seen: Observation, provisioner: str) -> Wait | None:
    """While the provisioner is at work on the machine, or has it in maintenance."""
    if not seen.state.passing:
        return None
    detail = f": {seen.detail}" if seen.detail else ""
    return Wait(ctx.services.observe_seconds, f"{provisioner} says: {seen.state}{detail}")


def _forced(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    """Force is for what was found when it was asked for: a retry leaves alone what others brought up meanwhile."""
    if not contexts:
        return {}
    with contexts[0].services.database.statements() as uow:
        settled = uow.retries.settled_meanwhile([ctx.task.id for ctx in contexts])
    return {
        ctx.task.id: _succeeded(ctx, f"{ctx.node} came to success by task {settled[ctx.task.id]} meanwhile")
        if ctx.task.id in settled
        else Done(FORCED)
        for ctx in contexts
    }


def _on_record(services: StepServices, deployments: Sequence[str | None]) -> Mapping[UUID, Deployment]:
    ids = [known for text in deployments if (known := _uuid(text)) is not None]
    if not ids:
        return {}
    with services.database.statements() as uow:
        return uow.tasks.of_deployments(ids)


def _left_alone(
    ctx: StepContext, seen: Observation, known: Mapping[UUID, Deployment], already: str | None
) -> Finished | None:
    """The end of the task, if there is nothing to do; None if there is.

    What the provisioner says counts, unless we know better: a deployment that did not end well here, or whose key was
    revoked because another one or a destruction began. One that is on no record, since old tasks are deleted, counts:
    to install it again by mistake would be worse than to be asked for ``force``.
    """
    if already is not None:
        return _leave(ctx, already)
    if seen.state is not NodeState.DEPLOYED:
        return None
    deployment_id = _uuid(seen.deployment_id)
    if deployment_id is None or deployment_id not in known:
        return _leave(ctx, "deployed already, by a deployment that is not on record here")
    deployment = known[deployment_id]
    task = deployment.task
    if deployment.revoked or task.result.status is not ResultStatus.SUCCESS:
        return None
    design = "" if task.design_digest == ctx.task.design_digest else " from another design"
    return _leave(ctx, f"deployed already{design}, by task {task.id}")


def _leave(ctx: StepContext, why: str) -> Finished:
    return _succeeded(ctx, f"{ctx.node} is {why}; it is not touched without force")


def _succeeded(ctx: StepContext, message: str) -> Finished:
    return Finished(TaskResult(ResultStatus.SUCCESS, message=message, successes=(ctx.node,)), message)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
