"""The action deploy_nodes. Each node, at its own pace:

apply_networking → apply_storage → apply_platform → prepare_boot → start_deployment → await_deployment
→ await_boot_actions
"""

from __future__ import annotations

from drydock.drivers.node.base import Deployment, NodeState
from drydock.errors import BootContextNotFound
from drydock.model.boot_action import ReportStatus
from drydock.model.boot_context import BootContext
from drydock.model.task import Action
from drydock.orchestrator.outcome import Done, Failed, Outcome, Wait
from drydock.orchestrator.planner import node_steps
from drydock.orchestrator.workflow import Step, StepContext, Workflow


def apply_networking(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_networking(ctx.provisioned_node), "networking configured")


def apply_storage(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_storage(ctx.provisioned_node), "storage configured")


def apply_platform(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_platform(ctx.provisioned_node), "platform configured")


def prepare_boot(ctx: StepContext) -> Outcome:
    actions = ctx.services.boot.prepare(ctx.task, ctx.node, ctx.site, ctx.transaction)
    return Done(f"{len(actions)} boot actions ready, {sum(action.signaling for action in actions)} of them report")


def start_deployment(ctx: StepContext) -> Outcome:
    context = _boot_context(ctx)
    user_data = ctx.services.boot.user_data(context, ctx.site)
    progress = ctx.services.provisioner.deploy(Deployment(id=str(context.id), node=ctx.node, user_data=user_data))
    return ctx.follow(progress, f"installation handed to {ctx.services.provisioner.name}")


def await_deployment(ctx: StepContext) -> Outcome:
    deployment_id = str(_boot_context(ctx).id)
    seen = ctx.services.provisioner.observe([ctx.node])[ctx.node]
    if seen.deployment_id != deployment_id:
        return Failed(f"the provisioner no longer knows this deployment; it says the machine is {seen.state}")
    if seen.state is NodeState.FAILED:
        return Failed(f"installation failed: {seen.detail}")
    if seen.state is NodeState.DEPLOYED:
        return Done("operating system installed")
    contact = "no contact yet" if seen.last_contact is None else f"last contact {seen.last_contact:%H:%M:%S} UTC"
    return Wait(ctx.services.observe_seconds, f"{seen.detail or seen.state}, {contact}")


def await_boot_actions(ctx: StepContext) -> Outcome:
    with ctx.services.database.unit_of_work() as uow:
        actions = uow.boot_actions.of_context(_boot_context(ctx).id)
    failed = [action.name for action in actions if action.status is ReportStatus.FAILURE]
    missing = [action.name for action in actions if action.signaling and action.status is None]
    if missing:
        return Wait(ctx.services.observe_seconds, "no final status yet of boot actions " + ", ".join(missing))
    if failed:
        return Failed("boot actions failed: " + ", ".join(failed))
    return Done("all boot actions that report have succeeded")


def _boot_context(ctx: StepContext) -> BootContext:
    with ctx.services.database.unit_of_work() as uow:
        context = uow.boot_contexts.of_task(ctx.task.id)
    if context is None:
        raise BootContextNotFound(f"the boot context of {ctx.node} has ended or expired")
    return context


DEPLOY_NODES = Workflow(Action.DEPLOY_NODES, node_steps(Action.DEPLOY_NODE))

DEPLOY_NODE = Workflow(
    Action.DEPLOY_NODE,
    (
        Step(apply_networking, timeout="apply_node_networking"),
        Step(apply_storage, timeout="apply_node_storage"),
        Step(apply_platform, timeout="apply_node_platform"),
        Step(prepare_boot, timeout="prepare_boot"),
        Step(start_deployment, timeout="deploy_node"),
        Step(await_deployment, timeout="deploy_node"),
        Step(await_boot_actions, timeout="bootaction_final_status"),
    ),
)
