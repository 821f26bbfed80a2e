"""The action prepare_nodes. Each node, at its own pace:

look_at_node → set_boot_device → power_off → power_on → identify → collect_inventory → configure_hardware

A node that is deployed or ready to be deployed ends at its first step, unless the task says force.
Off and on are two steps because each can look before it acts: a power cycle repeated after a crash would reset a
machine in the middle of its discovery.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from drydock.drivers.node.base import NodeState
from drydock.drivers.oob.base import BootDevice, PowerState
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.already_done import look
from drydock.orchestrator.workflows.outcome import Done, Outcome, Wait
from drydock.orchestrator.workflows.planner import for_each_node
from drydock.orchestrator.workflows.workflow import BulkStep, Step, StepContext, Workflow, ask

#: BMCs take seconds to change power; asking more often only loads them.
POWER_POLL_SECONDS = 2.0


def look_at_node(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    return look(contexts, lambda seen: "ready to be deployed already" if seen.state is NodeState.READY else None)


def set_boot_device(ctx: StepContext) -> Outcome:
    driver, bmc = ctx.bmc()
    driver.set_boot_device(bmc, BootDevice.PXE)
    return Done("boots from the network next")


def power_off(ctx: StepContext) -> Outcome:
    driver, bmc = ctx.bmc()
    if driver.power_state(bmc) is PowerState.OFF:
        return Done("powered off")
    driver.power_off(bmc)
    return Wait(POWER_POLL_SECONDS, "waiting for the BMC to switch the power off")


def power_on(ctx: StepContext) -> Outcome:
    driver, bmc = ctx.bmc()
    if driver.power_state(bmc) is PowerState.ON:
        return Done("powered on")
    driver.power_on(bmc)
    return Wait(POWER_POLL_SECONDS, "waiting for the BMC to switch the power on")


def identify(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    provisioner = contexts[0].services.provisioner
    return ask(contexts, provisioner.identify, f"seen by {provisioner.name}")


def collect_inventory(ctx: StepContext) -> Outcome:
    """What the BMC knows of its machine becomes build data, once per task."""
    driver, bmc = ctx.bmc()
    facts = json.dumps(dict(driver.interrogate(bmc)), sort_keys=True)
    with ctx.transaction() as uow:
        if not uow.build_data.of_task(ctx.task.id):
            uow.build_data.add(
                node=ctx.node,
                task_id=ctx.task.id,
                generator=driver.name,
                data_format="application/json",
                data_element=facts,
            )
        uow.commit()
    return Done("inventory collected from the BMC")


def configure_hardware(contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    return ask(contexts, contexts[0].services.provisioner.configure_hardware, "ready to be deployed")


PREPARE_NODE = Workflow(
    Action.PREPARE_NODE,
    (
        BulkStep("look_at_node", look_at_node, timeout="identify_node", lane=Lane.WATCH),
        Step("set_boot_device", set_boot_device, timeout="power"),
        Step("power_off", power_off, timeout="power"),
        Step("power_on", power_on, timeout="power"),
        BulkStep("identify", identify, timeout="identify_node"),
        Step("collect_inventory", collect_inventory, timeout="power"),
        BulkStep("configure_hardware", configure_hardware, timeout="configure_hardware"),
    ),
)

PREPARE_NODES = for_each_node(Action.PREPARE_NODES, PREPARE_NODE)
