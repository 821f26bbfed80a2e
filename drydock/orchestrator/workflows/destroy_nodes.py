"""The action destroy_nodes. Each node: revoke_key → destroy."""

from __future__ import annotations

from drydock.drivers.node.base import NodeState
from drydock.model.task import Action
from drydock.orchestrator.outcome import Done, Outcome
from drydock.orchestrator.planner import for_each_node
from drydock.orchestrator.workflow import Step, StepContext, Workflow


def revoke_key(ctx: StepContext) -> Outcome:
    """First, so that what is being erased can fetch and report no more."""
    with ctx.transaction() as uow:
        uow.boot_contexts.end([ctx.node])
        uow.commit()
    return Done("key revoked")


def destroy(ctx: StepContext) -> Outcome:
    """Also of a node that is unknown, in case it became known meanwhile: that succeeds and changes nothing."""
    provisioner = ctx.services.provisioner
    unknown = provisioner.observe([ctx.node])[ctx.node].state is NodeState.UNKNOWN
    done = f"{provisioner.name} does not know {ctx.node}: nothing to erase" if unknown else "erased and released"
    return ctx.follow(provisioner.destroy(ctx.node), done)


DESTROY_NODE = Workflow(
    Action.DESTROY_NODE,
    (
        Step(revoke_key, timeout="destroy_node"),
        Step(destroy, timeout="destroy_node"),
    ),
)

DESTROY_NODES = for_each_node(Action.DESTROY_NODES, DESTROY_NODE)
