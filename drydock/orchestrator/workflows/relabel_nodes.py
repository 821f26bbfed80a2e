"""The action relabel_nodes. Each node: relabel."""

from __future__ import annotations

from drydock.counting import counted
from drydock.model.actions import Action
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow


def relabel(ctx: StepContext) -> Outcome:
    """The labels of a node are the owner_data of the design, its profile's first."""
    labels = ctx.services.labels
    if labels is None:
        return Failed("no keeper of labels is configured: set [drivers] labels")
    if ctx.node not in ctx.site.nodes:
        return Failed(f"the design has no node {ctx.node}")
    wanted = ctx.site.nodes[ctx.node].owner_data
    labels.put(ctx.node, wanted)
    return Done(f"{counted(len(wanted), 'label')} given to {labels.name}")


RELABEL_NODE = Workflow(Action.RELABEL_NODE, (Step("relabel", relabel, timeout="relabel_node"),))

RELABEL_NODES = for_each_node(Action.RELABEL_NODES, RELABEL_NODE)
