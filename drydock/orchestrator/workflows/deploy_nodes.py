"""The action deploy_nodes. Each node, at its own pace:

look_at_node → check_hardware → apply_networking → apply_storage → apply_platform → prepare_boot → await_place
→ start_deployment → await_deployment → await_boot_actions

A node that is deployed ends at its first step, unless the task says force. A node that is terminated while its machine
is being installed goes to stop_machine first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from drydock.bootaction.content_record import CONTENTS, inputs_of, is_other
from drydock.counting import counted
from drydock.design.provisioning import meta_data
from drydock.drivers.node.base import NodeState, Observation, Verb
from drydock.drivers.node.records import Deployment
from drydock.errors import DatabaseUnavailable, DrydockError
from drydock.model.actions import PLACE_TAKEN, Action
from drydock.model.boot_action import BootAction, ReportStatus
from drydock.model.boot_context import BootContext, PreparedBoot
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.machine import MachineContact
from drydock.model.task import Lane
from drydock.orchestrator.workflows.already_done import look
from drydock.orchestrator.workflows.check_hardware import check_hardware
from drydock.orchestrator.workflows.check_plan import planned_contents, planned_steps
from drydock.orchestrator.workflows.install_progress import pause, silence
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome, Wait, of_error
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.prepare_nodes import PREPARATION
from drydock.orchestrator.workflows.workflow import BulkStep, NodeBatch, Step, StepContext, Stop, Workflow
from drydock.plan.fingerprint import fingerprints

#: A final status wakes the task that waits for it; until then it is run only to show the last contact.
LOOK_AGAIN_SECONDS = 60.0
#: Nodes of one slot whose assets are fetched at a time; how many fetches there are at all is an option's matter.
FETCHING_AT_ONCE = 8
#: What a slot has prepared at most, but for the last nodes, before it is written down.
PREPARED_BYTES = 8 * 1024 * 1024
CONTEXT_GONE = "its boot context has ended or expired"


def look_at_node(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """A node whose design the provisioner cannot do fails here, before anything is touched."""
    outcomes = look(batch)
    return batch.each(lambda ctx: _unsupported(ctx, outcomes[ctx.task.id]) or outcomes[ctx.task.id])


def _unsupported(ctx: StepContext, outcome: Outcome) -> Failed | None:
    if not isinstance(outcome, Done):
        return None
    provisioner = ctx.services.provisioner
    lacks = provisioner.unsupported(ctx.provisioned_node)
    if not lacks:
        return None
    return Failed(f"{provisioner.name} cannot do what the design wants of {ctx.node}", details=tuple(lacks))


def apply_networking(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    return batch.by_task(batch.provisioner.apply_networking(batch.nodes), "networking configured")


def apply_storage(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    return batch.by_task(batch.provisioner.apply_storage(batch.nodes), "storage configured")


def apply_platform(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    return batch.by_task(batch.provisioner.apply_platform(batch.nodes), "platform configured")


def prepare_boot(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """Answers for as many nodes as make ``PREPARED_BYTES``, so that these are written down before others are made.

    Nodes that something is to be fetched for are prepared side by side: most of their time is waiting.
    """
    outcomes: dict[UUID, Outcome] = {}
    planned = planned_contents(batch)

    def prepared(ctx: StepContext) -> Outcome:
        return _prepared(ctx, planned.get(ctx.task.id))

    with ThreadPoolExecutor(FETCHING_AT_ONCE, thread_name_prefix="prepare") as threads:
        for together in _side_by_side(batch.contexts):
            each = map if len(together) == 1 else threads.map
            outcomes |= zip((ctx.task.id for ctx in together), each(prepared, together), strict=True)
            if sum(_size(outcome) for outcome in outcomes.values()) >= PREPARED_BYTES:
                break
    return outcomes


def _side_by_side(contexts: Sequence[StepContext]) -> Iterator[Sequence[StepContext]]:
    fetching = [ctx for ctx in contexts if ctx.services.boot.fetches(ctx.node, ctx.site)]
    yield from ([ctx] for ctx in contexts if ctx not in fetching)
    for start in range(0, len(fetching), FETCHING_AT_ONCE):
        yield fetching[start : start + FETCHING_AT_ONCE]


def _size(outcome: Outcome) -> int:
    return outcome.kept.size if isinstance(outcome, Done) and isinstance(outcome.kept, PreparedBoot) else 0


def _prepared(ctx: StepContext, planned: str | None) -> Outcome:
    """``planned``: what its plan rests on of its assets' contents. Nothing is kept, and the machine stays as it is, if
    they are others now.
    """
    try:
        boot, warnings = ctx.services.boot.prepare(ctx.task, ctx.node, ctx.site)
    except DatabaseUnavailable:
        raise
    except DrydockError as exc:
        return of_error(exc)
    if planned is not None and is_other(boot.contents, planned):
        return Failed("plan_stale: the content of its assets has changed since it was planned; make a new plan")
    reporting = counted(sum(action.signaling for action in boot.actions), "of them reports", "of them report")
    return Done(f"{counted(len(boot.actions), 'boot action')} ready, {reporting}", tuple(warnings), boot)


def start_deployment(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    with batch.services.database.statements() as uow:
        live = uow.boot_contexts.of_tasks(batch.task_ids)
    deployments = [_deployment(ctx, live[ctx.task.id]) for ctx in batch.contexts if ctx.task.id in live]
    progress = batch.provisioner.deploy(deployments) if deployments else {}
    started = f"installation handed to {batch.provisioner.name}"
    return batch.each(
        lambda ctx: ctx.follow(progress[ctx.node], started) if ctx.task.id in live else Failed(CONTEXT_GONE)
    )


def _deployment(ctx: StepContext, context: BootContext) -> Deployment:
    deployment_id = str(context.id)
    return Deployment(
        id=deployment_id,
        node=ctx.provisioned_node,
        user_data=ctx.services.boot.user_data(context, ctx.site),
        meta_data=meta_data(ctx.site, ctx.node, deployment_id),
    )


def await_place(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """A bounded number of machines is installed at a time; the others wait here, before they are touched.

    Those that had to wait say when it ended: estimates do not count it.
    """
    services = batch.services
    with services.database.unit_of_work() as uow:
        placed = uow.holds.take_slots(batch.task_ids, at_most=services.deployment_slots)
        uow.commit()
    full = Wait(services.observe_seconds, f"all {services.deployment_slots} slots for installations are taken")
    return batch.each(lambda ctx: Done(PLACE_TAKEN if ctx.task.reason else "") if ctx.task.id in placed else full)


def await_deployment(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    with batch.services.database.statements() as uow:
        deployments = uow.boot_contexts.live_of_tasks(batch.task_ids)
        contacts = uow.boot_contacts.of_tasks(batch.task_ids)
    seen = batch.provisioner.observe(batch.names)
    return batch.each(
        lambda ctx: _installed(ctx, seen[ctx.node], deployments.get(ctx.task.id), contacts.get(ctx.task.id))
    )


def _installed(
    ctx: StepContext, seen: Observation, deployment_id: UUID | None, contact: MachineContact | None
) -> Outcome:
    if deployment_id is None:
        return Failed(CONTEXT_GONE)
    if seen.deployment_id != str(deployment_id):
        return Failed(f"the provisioner no longer knows this deployment; it says the machine is {seen.state}")
    if seen.state is NodeState.FAILED:
        return Failed(f"installation failed: {seen.detail}")
    if seen.state is NodeState.DEPLOYED:
        return Done("operating system installed")
    now = datetime.now(UTC)
    return Wait(pause(ctx.task, now, ctx.services.observe_seconds), silence(ctx.task, now, contact, seen))


def await_boot_actions(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    task_ids = batch.task_ids
    with batch.services.database.statements() as uow:
        live = uow.boot_contexts.live_of_tasks(task_ids)
        actions = uow.boot_actions.of_tasks(task_ids)
        contacts = uow.boot_contacts.of_tasks(task_ids)
        failed = [action.id for found in actions.values() for action in found if action.status is ReportStatus.FAILURE]
        words = uow.messages.last_words(task_ids, failed) if failed else {}
    outcomes = batch.each(
        lambda ctx: (
            _reported(actions.get(ctx.task.id, ()), contacts.get(ctx.task.id), words)
            if ctx.task.id in live
            else Failed(CONTEXT_GONE)
        )
    )
    done = [live[task_id] for task_id, outcome in outcomes.items() if isinstance(outcome, Done)]
    if not done:
        return outcomes
    with batch.services.database.statements() as uow:
        contents = uow.boot_contexts.contents(done)
    return batch.each(lambda ctx: _recorded(ctx, live.get(ctx.task.id), outcomes[ctx.task.id], contents))


def _recorded(
    ctx: StepContext, deployment_id: UUID | None, outcome: Outcome, contents: Mapping[UUID, Mapping[str, Any]]
) -> Outcome:
    """With what the node was made from, if it is deployed. ``contents``: of its assets, by deployment."""
    if deployment_id is None or not isinstance(outcome, Done):
        return outcome
    sections: Mapping[str, Any] = ctx.services.sections.of_node(ctx.design, ctx.node)
    marks = fingerprints(sections)
    if (found := contents.get(deployment_id)) is not None:
        sections, marks = {**sections, CONTENTS: found}, {**marks, CONTENTS: inputs_of(found)}
    deployed = NewDeployedNode(
        node=ctx.node,
        task_id=ctx.task.root_id,
        deployment_id=deployment_id,
        design_digest=ctx.design.digest,
        image=ctx.site.nodes[ctx.node].image,
        sections=sections,
        fingerprints=marks,
        deployed_by=ctx.task.created_by,
    )
    return replace(outcome, kept=deployed)


def _reported(actions: Sequence[BootAction], contact: MachineContact | None, words: Mapping[str, str]) -> Outcome:
    """``words``: by boot action that failed, the last message of its machine."""
    failed = [action for action in actions if action.status is ReportStatus.FAILURE]
    missing = [action.name for action in actions if action.signaling and action.status is None]
    if missing:
        last = None if contact is None else contact.last_contact
        contact_text = "" if last is None else f", last contact {last.astimezone(UTC):%H:%M:%S} UTC"
        names = ", ".join(missing)
        return Wait(LOOK_AGAIN_SECONDS, f"no final status yet of boot actions {names}{contact_text}")
    unknown = [f"{action.name} ({action.status})" for action in actions if action.status and not action.status.known]
    if unknown:
        return Wait(LOOK_AGAIN_SECONDS, f"this version does not know the status of boot actions {', '.join(unknown)}")
    if failed:
        return Failed("boot actions failed: " + ", ".join(_in_words(action, words) for action in failed))
    return Done("all boot actions that report have succeeded")


def _in_words(action: BootAction, words: Mapping[str, str]) -> str:
    last = " ".join(words.get(action.id, "").split())
    return f"{action.name} ({last})" if last else action.name


def stop_machine(ctx: StepContext) -> Outcome:
    """Its installer must not go on, nor use a key that ends with this task."""
    stopped = "the machine is switched off"
    provisioner = ctx.services.provisioner
    if provisioner.capabilities.owns_power:
        return ctx.follow(provisioner.stop([ctx.node])[ctx.node], stopped)
    return ctx.by_bmc(lambda driver, bmc: driver.power_off(bmc), stopped)


_LOOK_AT_NODE = BulkStep("look_at_node", look_at_node, timeout="identify_node", lane=Lane.WATCH)
DEPLOY_NODE = Workflow(
    Action.DEPLOY_NODE,
    steps=(
        _LOOK_AT_NODE,
        BulkStep("check_hardware", check_hardware, timeout="identify_node"),
        BulkStep("apply_networking", apply_networking, timeout="apply_node_networking", verb=Verb.APPLY_NETWORKING),
        BulkStep("apply_storage", apply_storage, timeout="apply_node_storage", verb=Verb.APPLY_STORAGE),
        BulkStep("apply_platform", apply_platform, timeout="apply_node_platform", verb=Verb.APPLY_PLATFORM),
        BulkStep("prepare_boot", prepare_boot, timeout="prepare_boot"),
        BulkStep("await_place", await_place, timeout=None, lane=Lane.WATCH),
        BulkStep("start_deployment", start_deployment, timeout="deploy_node", verb=Verb.DEPLOY),
        BulkStep("await_deployment", await_deployment, timeout="deploy_node", lane=Lane.WATCH, later=True),
        BulkStep("await_boot_actions", await_boot_actions, timeout="bootaction_final_status", lane=Lane.WATCH),
    ),
    stop=Stop(
        Step("stop_machine", stop_machine, timeout="power"),
        of_steps=frozenset({"start_deployment", "await_deployment"}),
    ),
    planned=planned_steps(PREPARATION, _LOOK_AT_NODE),
)

DEPLOY_NODES = for_each_node(Action.DEPLOY_NODES, DEPLOY_NODE)
