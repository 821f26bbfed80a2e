"""What each action does, step by step."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.model.actions import Action
from drydock.orchestrator.workflows.apply_plan import APPLY_PLAN
from drydock.orchestrator.workflows.deploy_nodes import DEPLOY_NODE, DEPLOY_NODES
from drydock.orchestrator.workflows.destroy_nodes import DESTROY_NODE, DESTROY_NODES
from drydock.orchestrator.workflows.prepare_nodes import PREPARE_NODE, PREPARE_NODES
from drydock.orchestrator.workflows.prepare_site import PREPARE_SITE
from drydock.orchestrator.workflows.relabel_nodes import RELABEL_NODE, RELABEL_NODES
from drydock.orchestrator.workflows.validate_design import VALIDATE_DESIGN
from drydock.orchestrator.workflows.verify_nodes import VERIFY_NODE, VERIFY_NODES
from drydock.orchestrator.workflows.verify_site import VERIFY_SITE
from drydock.orchestrator.workflows.workflow import Workflow

WORKFLOWS: Mapping[Action, Workflow] = {
    workflow.action: workflow
    for workflow in (
        VALIDATE_DESIGN,
        VERIFY_SITE,
        PREPARE_SITE,
        VERIFY_NODES,
        VERIFY_NODE,
        PREPARE_NODES,
        PREPARE_NODE,
        DEPLOY_NODES,
        DEPLOY_NODE,
        DESTROY_NODES,
        DESTROY_NODE,
        RELABEL_NODES,
        RELABEL_NODE,
        APPLY_PLAN,
    )
}
