"""The action prepare_nodes. Each node, at its own pace:

look_at_node → set_boot_device → power_off → power_on → identify → collect_inventory → configure_hardware

A node that is deployed or ready to be deployed ends at its first step, unless the task says force; then its hardware
is looked into anew.
Off and on are two steps because each can look before it acts: a power cycle repeated after a crash would reset a
machine in the middle of its discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from drydock.drivers.node.base import NodeState, Verb
from drydock.drivers.oob.base import BootDevice, OobCapabilities
from drydock.drivers.progress import ProgressState
from drydock.errors import DriverRefused
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.already_done import look
from drydock.orchestrator.workflows.hardware_facts import keep_facts
from drydock.orchestrator.workflows.outcome import Done, Outcome
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import BulkStep, NodeBatch, Step, StepContext, Workflow


def look_at_node(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    return look(batch, lambda seen: "ready to be deployed already" if seen.state is NodeState.READY else None)


def set_boot_device(ctx: StepContext) -> Outcome:
    if ctx.services.provisioner.capabilities.owns_power:
        return _not_ours(ctx)
    driver, _ = ctx.bmc()
    device = network_device(driver.capabilities)
    if device is None:
        raise DriverRefused(f"{ctx.node}: {driver.name} cannot have a machine boot from the network")
    wanted = ctx.provisioned_node.hardware.boot_mode
    mode = wanted if wanted in driver.capabilities.boot_modes else None
    return ctx.by_bmc(lambda driver, bmc: driver.set_boot_device(bmc, device, mode), "boots from the network next")


def network_device(capabilities: OobCapabilities) -> BootDevice | None:
    """What the driver has to make a machine boot from the network; None if it has nothing."""
    devices = (BootDevice.NETWORK, BootDevice.UEFI_HTTP)
    return next((device for device in devices if device in capabilities.boot_devices), None)


def power_off(ctx: StepContext) -> Outcome:
    if ctx.services.provisioner.capabilities.owns_power:
        return _not_ours(ctx)
    return ctx.by_bmc(lambda driver, bmc: driver.power_off(bmc), "powered off")


def power_on(ctx: StepContext) -> Outcome:
    if ctx.services.provisioner.capabilities.owns_power:
        return _not_ours(ctx)
    return ctx.by_bmc(lambda driver, bmc: driver.power_on(bmc), "powered on")


def identify(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    return batch.by_task(batch.provisioner.enroll(batch.nodes), f"known to {batch.provisioner.name}")


def collect_inventory(ctx: StepContext) -> Outcome:
    """What the BMC knows of its machine becomes build data, once per task."""
    provisioner = ctx.services.provisioner
    if provisioner.capabilities.owns_power:
        return Done(f"{provisioner.name} looks into its machines itself")
    driver, bmc = ctx.bmc()
    if driver.capabilities.by_hand:
        return Done(f"{driver.name} has no BMC to ask")
    keep_facts([ctx], driver.name, {ctx.node: driver.facts(bmc)})
    return Done("inventory collected from the BMC")


def configure_hardware(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """What the provisioner found in the machines that are ready becomes build data, once per task."""
    again = {ctx.node: str(ctx.task.id) for ctx in batch.contexts if _is_forced(ctx)}
    progress = batch.provisioner.configure_hardware(batch.nodes, again)
    ready = [ctx for ctx in batch.contexts if progress[ctx.node].state is ProgressState.SUCCEEDED]
    if ready:
        found = batch.provisioner.facts([ctx.node for ctx in ready])
        keep_facts([ctx for ctx in ready if ctx.node in found], batch.provisioner.name, found)
    return batch.by_task(progress, "ready to be deployed")


def _is_forced(ctx: StepContext) -> bool:
    """Of the task itself: a plan's force is for what it does after these steps."""
    return ctx.task.force and ctx.task.action is Action.PREPARE_NODE


def _not_ours(ctx: StepContext) -> Outcome:
    return Done(f"{ctx.services.provisioner.name} switches its machines itself")


#: Also of a plan's nodes that are not ready to be deployed.
PREPARATION = (
    Step("set_boot_device", set_boot_device, timeout="power"),
    Step("power_off", power_off, timeout="power"),
    Step("power_on", power_on, timeout="power"),
    BulkStep("identify", identify, timeout="identify_node", verb=Verb.ENROLL),
    Step("collect_inventory", collect_inventory, timeout="power"),
    BulkStep("configure_hardware", configure_hardware, timeout="configure_hardware", verb=Verb.CONFIGURE_HARDWARE),
)
PREPARE_NODE = Workflow(
    Action.PREPARE_NODE,
    (BulkStep("look_at_node", look_at_node, timeout="identify_node", lane=Lane.WATCH), *PREPARATION),
)

PREPARE_NODES = for_each_node(Action.PREPARE_NODES, PREPARE_NODE)
