"""The action destroy_nodes. Each node: revoke_key → destroy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from drydock.drivers.node.base import NodeState
from drydock.model.actions import Action
from drydock.orchestrator.workflows.outcome import Done, Outcome, Wait
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import BulkStep, StepContext, Workflow


def revoke_key(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    """First, so that what is being erased can fetch and report no more."""
    with contexts[0].services.database.unit_of_work() as uow:
        going_on = uow.outcomes.lock_going_on([ctx.task for ctx in contexts])
        uow.boot_contexts.end([ctx.node for ctx in contexts if ctx.task.id in going_on])
        uow.commit()
    return {ctx.task.id: Done("key revoked") if ctx.task.id in going_on else Wait(0, "to stop") for ctx in contexts}


def destroy(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    """Also nodes that are unknown, in case they became known meanwhile: that succeeds and changes nothing."""
    provisioner = contexts[0].services.provisioner
    nodes = [ctx.node for ctx in contexts]
    seen = provisioner.observe(nodes)
    progress = provisioner.destroy(nodes)
    unknown = {node for node in nodes if seen[node].state is NodeState.UNKNOWN}
    return {
        ctx.task.id: ctx.follow(
            progress[ctx.node],
            f"{provisioner.name} does not know {ctx.node}: nothing to erase"
            if ctx.node in unknown
            else "erased and released",
        )
        for ctx in contexts
    }


DESTROY_NODE = Workflow(
    Action.DESTROY_NODE,
    (
        BulkStep("revoke_key", revoke_key, timeout="destroy_node"),
        BulkStep("destroy", destroy, timeout="destroy_node"),
    ),
)

DESTROY_NODES = for_each_node(Action.DESTROY_NODES, DESTROY_NODE)
