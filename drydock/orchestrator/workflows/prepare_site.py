"""The action prepare_site: resolve_design → check_design → prepare_site."""

from __future__ import annotations

from drydock.counting import counted
from drydock.design.provisioning import provisioned_site
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow


def prepare_site(ctx: StepContext) -> Outcome:
    site = provisioned_site(ctx.site)
    links, tags = counted(len(site.links), "link"), counted(len(site.tags), "tag")
    done = f"{counted(len(site.networks), 'network')}, {links} and {tags} are in place"
    return ctx.follow(ctx.services.provisioner.prepare_site(site), done)


PREPARE_SITE = Workflow(
    Action.PREPARE_SITE,
    (
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("prepare_site", prepare_site, timeout="prepare_site", lane=Lane.TASK),
    ),
)
