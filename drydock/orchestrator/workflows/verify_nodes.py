"""The action verify_nodes. Each node: check_bmc → look_up. Nothing is changed, and no machine is switched."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from drydock.drivers.node.base import NodeState, Observation
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.outcome import Done, Outcome
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import BulkStep, NodeBatch, Step, StepContext, Workflow


def check_bmc(ctx: StepContext) -> Outcome:
    if ctx.services.provisioner.capabilities.owns_power:
        return Done(f"{ctx.services.provisioner.name} switches its machines itself")
    driver, bmc = ctx.bmc()
    if driver.capabilities.by_hand:
        return Done(f"{ctx.node} is switched by hand")
    return Done(f"the BMC answers: power is {driver.power_state(bmc)}")


def look_up(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    provisioner = batch.provisioner
    seen = provisioner.observe(batch.names)
    return batch.each(lambda ctx: Done(_knowledge(provisioner.name, seen[ctx.node])))


def _knowledge(provisioner: str, seen: Observation) -> str:
    """A machine that is not known yet is as good as any: it becomes known when it is prepared."""
    if seen.state is NodeState.UNKNOWN:
        return f"verified; {provisioner} does not know {seen.node} yet"
    return f"verified; {provisioner} knows {seen.node}: {seen.state}"


VERIFY_NODE = Workflow(
    Action.VERIFY_NODE,
    (
        Step("check_bmc", check_bmc, timeout="verify_node"),
        BulkStep("look_up", look_up, timeout="verify_node", lane=Lane.WATCH),
    ),
)

VERIFY_NODES = for_each_node(Action.VERIFY_NODES, VERIFY_NODE)
