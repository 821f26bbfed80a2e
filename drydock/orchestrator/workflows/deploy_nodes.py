"""The action deploy_nodes. Each node, at its own pace:

look_at_node → apply_networking → apply_storage → apply_platform → prepare_boot → await_place → start_deployment
→ await_deployment → await_boot_actions

A node that is deployed ends at its first step, unless the task says force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from drydock.drivers.node.base import Deployment, NodeState, Observation
from drydock.errors import BootContextNotFound
from drydock.model.boot_action import BootAction, ReportStatus
from drydock.model.boot_context import BootContext
from drydock.model.machine import MachineContact
from drydock.model.task import Action
from drydock.orchestrator.outcome import Done, Failed, Outcome, Wait
from drydock.orchestrator.planner import for_each_node
from drydock.orchestrator.present_state import look
from drydock.orchestrator.silence import silence
from drydock.orchestrator.workflow import Step, StepContext, WatchStep, Workflow

CONTEXT_GONE = "its boot context has ended or expired"


def look_at_node(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    return look(contexts)


def apply_networking(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_networking(ctx.provisioned_node), "networking configured")


def apply_storage(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_storage(ctx.provisioned_node), "storage configured")


def apply_platform(ctx: StepContext) -> Outcome:
    return ctx.follow(ctx.services.provisioner.apply_platform(ctx.provisioned_node), "platform configured")


def prepare_boot(ctx: StepContext) -> Outcome:
    boot, warnings = ctx.services.boot.prepare(ctx.task, ctx.node, ctx.site)
    reporting = sum(action.signaling for action in boot.actions)
    ready = f"{len(boot.actions)} boot actions ready, {reporting} of them report"
    return Done(ready, boot=boot, warnings=tuple(warnings))


def start_deployment(ctx: StepContext) -> Outcome:
    context = _boot_context(ctx)
    user_data = ctx.services.boot.user_data(context, ctx.site)
    progress = ctx.services.provisioner.deploy(Deployment(id=str(context.id), node=ctx.node, user_data=user_data))
    return ctx.follow(progress, f"installation handed to {ctx.services.provisioner.name}")


def await_place(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    """So many machines are installed at a time; the others wait here, before they are touched."""
    services = contexts[0].services
    with services.database.unit_of_work() as uow:
        placed = uow.holds.take_places([ctx.task.id for ctx in contexts], at_most=services.deployment_places)
        uow.commit()
    full = Wait(services.observe_seconds, f"all {services.deployment_places} places for installations are taken")
    return {ctx.task.id: Done() if ctx.task.id in placed else full for ctx in contexts}


def await_deployment(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    services = contexts[0].services
    task_ids = [ctx.task.id for ctx in contexts]
    with services.database.statements() as uow:
        boot_contexts = uow.boot_contexts.of_tasks(task_ids)
        contacts = uow.machines.of_tasks(task_ids)
    seen = services.provisioner.observe([ctx.node for ctx in contexts])
    return {
        ctx.task.id: _installed(ctx, seen[ctx.node], boot_contexts.get(ctx.task.id), contacts.get(ctx.task.id))
        for ctx in contexts
    }


def _installed(
    ctx: StepContext, seen: Observation, context: BootContext | None, contact: MachineContact | None
) -> Outcome:
    if context is None:
        return Failed(CONTEXT_GONE)
    if seen.deployment_id != str(context.id):
        return Failed(f"the provisioner no longer knows this deployment; it says the machine is {seen.state}")
    if seen.state is NodeState.FAILED:
        return Failed(f"installation failed: {seen.detail}")
    if seen.state is NodeState.DEPLOYED:
        return Done("operating system installed")
    return Wait(ctx.services.observe_seconds, silence(ctx.task, datetime.now(UTC), contact, seen))


def await_boot_actions(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    services = contexts[0].services
    task_ids = [ctx.task.id for ctx in contexts]
    with services.database.statements() as uow:
        boot_contexts = uow.boot_contexts.of_tasks(task_ids)
        actions = uow.boot_actions.of_tasks(task_ids)
        contacts = uow.machines.of_tasks(task_ids)
    return {
        ctx.task.id: _reported(ctx, actions.get(ctx.task.id, ()), contacts.get(ctx.task.id))
        if ctx.task.id in boot_contexts
        else Failed(CONTEXT_GONE)
        for ctx in contexts
    }


def _reported(ctx: StepContext, actions: Sequence[BootAction], contact: MachineContact | None) -> Outcome:
    failed = [action.name for action in actions if action.status is ReportStatus.FAILURE]
    missing = [action.name for action in actions if action.signaling and action.status is None]
    if missing:
        last = None if contact is None else contact.last_contact
        heard = "" if last is None else f", last contact {last.astimezone(UTC):%H:%M:%S} UTC"
        names = ", ".join(missing)
        return Wait(ctx.services.observe_seconds, f"no final status yet of boot actions {names}{heard}")
    if failed:
        return Failed("boot actions failed: " + ", ".join(failed))
    return Done("all boot actions that report have succeeded")


def _boot_context(ctx: StepContext) -> BootContext:
    with ctx.services.database.statements() as uow:
        context = uow.boot_contexts.of_tasks([ctx.task.id]).get(ctx.task.id)
    if context is None:
        raise BootContextNotFound(CONTEXT_GONE)
    return context


DEPLOY_NODE = Workflow(
    Action.DEPLOY_NODE,
    (
        WatchStep(look_at_node, timeout="identify_node"),
        Step(apply_networking, timeout="apply_node_networking"),
        Step(apply_storage, timeout="apply_node_storage"),
        Step(apply_platform, timeout="apply_node_platform"),
        Step(prepare_boot, timeout="prepare_boot"),
        WatchStep(await_place, timeout=None),
        Step(start_deployment, timeout="deploy_node"),
        WatchStep(await_deployment, timeout="deploy_node", later=True),
        WatchStep(await_boot_actions, timeout="bootaction_final_status"),
    ),
)

DEPLOY_NODES = for_each_node(Action.DEPLOY_NODES, DEPLOY_NODE)
