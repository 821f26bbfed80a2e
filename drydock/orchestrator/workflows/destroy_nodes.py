"""The action destroy_nodes. Each node: revoke_key → destroy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from drydock.drivers.node.base import NodeState, Verb
from drydock.drivers.progress import ProgressState
from drydock.model.actions import NOTHING_TO_ERASE, Action
from drydock.orchestrator.workflows.check_plan import planned_steps
from drydock.orchestrator.workflows.hardware_facts import keep_cleaning
from drydock.orchestrator.workflows.outcome import Done, NothingDeployed, Outcome, Wait
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import BulkStep, NodeBatch, Workflow


def revoke_key(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """First, so that what is being erased can fetch and report no more."""
    with batch.services.database.unit_of_work() as uow:
        going_on = uow.outcomes.lock_going_on([ctx.task for ctx in batch.contexts])
        uow.boot_contexts.end([ctx.node for ctx in batch.contexts if ctx.task.id in going_on])
        uow.commit()
    return batch.each(lambda ctx: Done("key revoked") if ctx.task.id in going_on else Wait(0, "to stop"))


def destroy(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """Also nodes that are unknown, in case they became known meanwhile: that succeeds and changes nothing.

    What the provisioner knows of the cleaning becomes build data, once per task.
    """
    provisioner = batch.provisioner
    seen = provisioner.observe(batch.names)
    progress = provisioner.destroy(batch.names)
    ended = [
        ctx
        for ctx in batch.contexts
        if progress[ctx.node].state is ProgressState.SUCCEEDED and seen[ctx.node].state is not NodeState.UNKNOWN
    ]
    if ended:
        found = provisioner.cleaned([ctx.node for ctx in ended])
        keep_cleaning([ctx for ctx in ended if ctx.node in found], provisioner.name, found)
    return batch.each(
        lambda ctx: _forgotten(
            ctx.follow(
                progress[ctx.node],
                f"{provisioner.name} does not know {ctx.node}{NOTHING_TO_ERASE}"
                if seen[ctx.node].state is NodeState.UNKNOWN
                else "erased and released",
            )
        )
    )


def _forgotten(outcome: Outcome) -> Outcome:
    return replace(outcome, kept=NothingDeployed()) if isinstance(outcome, Done) else outcome


_REVOKE_KEY = BulkStep("revoke_key", revoke_key, timeout="destroy_node")
DESTROY_NODE = Workflow(
    Action.DESTROY_NODE,
    (_REVOKE_KEY, BulkStep("destroy", destroy, timeout="destroy_node", verb=Verb.DESTROY)),
    planned=planned_steps((), _REVOKE_KEY),
)

DESTROY_NODES = for_each_node(Action.DESTROY_NODES, DESTROY_NODE)
