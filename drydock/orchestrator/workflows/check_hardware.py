"""The step check_hardware of deploy_nodes: is the machine what its design says it is?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from drydock.design.hardware_check import device_names, differences, switches_of
from drydock.model.hardware_check import HardwareCheck
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.hardware_sources import FoundFacts, merged
from drydock.orchestrator.services.hardware import finders, newest_facts
from drydock.orchestrator.workflows.hardware_facts import keep_facts
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.workflow import NodeBatch, StepContext

DIFFERENT = "the hardware is not as the design has it"


def check_hardware(batch: NodeBatch) -> Mapping[UUID, Outcome]:
    """Before anything is written. The facts are those of the last preparation; where the provisioner's are not on
    record it is asked for them.
    """
    if batch.services.hardware_check is HardwareCheck.OFF:
        return batch.each(lambda ctx: Done())
    provisioner = batch.provisioner.name
    oob_drivers = [driver.name for driver in batch.services.oob_drivers.values()]
    known = newest_facts(batch.services.database, batch.names, finders(provisioner, oob_drivers))
    lacking = [ctx for ctx in batch.contexts if provisioner not in _finders(known.get(ctx.node, ()))]
    asked = _ask(batch, lacking)
    return batch.each(lambda ctx: _checked(ctx, known.get(ctx.node, ()), asked.get(ctx.node)))


def _finders(found: Sequence[FoundFacts]) -> frozenset[str]:
    return frozenset(each.generator for each in found)


def _ask(batch: NodeBatch, lacking: Sequence[StepContext]) -> Mapping[str, HardwareFacts]:
    if not lacking:
        return {}
    found = batch.provisioner.facts([ctx.node for ctx in lacking])
    keep_facts([ctx for ctx in lacking if ctx.node in found], batch.provisioner.name, found)
    return found


def _checked(ctx: StepContext, known: Sequence[FoundFacts], asked: HardwareFacts | None) -> Outcome:
    provisioner = ctx.services.provisioner.name
    found = list(known)
    if asked is not None and ctx.task.step_since is not None:
        found.append(FoundFacts(provisioner, ctx.task.step_since, ctx.task.id, asked))
    facts = merged(found, provisioner=provisioner)
    if facts is None:
        return Done("nothing is known of the hardware")
    node = ctx.provisioned_node
    different = differences(node, facts, switches_of(ctx.site, ctx.node))
    if not different:
        names = ", ".join(f"{alias} is {name}" for alias, name in device_names(node, facts).items())
        return Done(f"the hardware is as designed{f': {names}' if names else ''}")
    if ctx.services.hardware_check is HardwareCheck.FAIL:
        return Failed(f"{DIFFERENT}: {'; '.join(different)}", details=different)
    return Done(f"{DIFFERENT}; it is used all the same", warnings=different)
