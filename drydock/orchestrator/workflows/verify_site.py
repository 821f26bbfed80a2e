"""The action verify_site: check_provisioner → resolve_design → check_design → check_drivers.

Nothing is changed, and no machine is asked: all of it runs in the lane of quick steps.
"""

from __future__ import annotations

from drydock.design.provisioning import bmc
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow


def check_provisioner(ctx: StepContext) -> Outcome:
    provisioner = ctx.services.provisioner
    provisioner.check()
    return Done(f"{provisioner.name} answers and is able to work")


def check_drivers(ctx: StepContext) -> Outcome:
    """Whether somebody speaks to each node's BMC in the language that the design says it has."""
    enabled = sorted(ctx.services.oob_drivers)
    wanted: dict[str, int] = {}
    for node in ctx.site.nodes:
        kind = bmc(ctx.site, node)[0] or "none"
        wanted[kind] = wanted.get(kind, 0) + 1
    missing = tuple(
        f"{count} nodes have out-of-band type {kind}; enabled drivers: {', '.join(enabled) or 'none'}"
        for kind, count in wanted.items()
        if kind not in enabled
    )
    if missing:
        return Failed("no driver for the BMCs of some nodes", details=missing)
    return Done(f"the site can be worked on: {len(ctx.site.nodes)} nodes")


VERIFY_SITE = Workflow(
    Action.VERIFY_SITE,
    (
        Step("check_provisioner", check_provisioner, timeout="verify_site", lane=Lane.TASK),
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_drivers", check_drivers, timeout="verify_site", lane=Lane.TASK),
    ),
)
