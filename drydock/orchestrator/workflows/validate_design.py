"""The action validate_design: resolve_design → check_design."""

from __future__ import annotations

from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.workflow import Step, Workflow

VALIDATE_DESIGN = Workflow(
    Action.VALIDATE_DESIGN,
    (
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
    ),
)
