"""What drivers find becomes build data of the task that asked for it: facts, and the proof of a cleaning."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from drydock.model.cleaning import CLEANING, Cleaning, cleaning_document
from drydock.model.hardware_facts import HardwareFacts, facts_document
from drydock.orchestrator.workflows.workflow import StepContext


def keep_facts(contexts: Sequence[StepContext], generator: str, found: Mapping[str, HardwareFacts]) -> None:
    """``found``: by node, of all these. Nothing is kept for a task that is to stop, nor twice for any."""
    _keep(contexts, generator, {ctx.node: facts_document(found[ctx.node]) for ctx in contexts})


def keep_cleaning(contexts: Sequence[StepContext], provisioner: str, found: Mapping[str, Cleaning]) -> None:
    """As ``keep_facts``."""
    _keep(contexts, provisioner + CLEANING, {ctx.node: cleaning_document(found[ctx.node]) for ctx in contexts})


def _keep(contexts: Sequence[StepContext], generator: str, documents: Mapping[str, Mapping[str, Any]]) -> None:
    if not contexts:
        return
    with contexts[0].services.database.unit_of_work() as uow:
        going_on = uow.outcomes.lock_going_on([ctx.task for ctx in contexts])
        kept = uow.build_data.tasks_with(generator, [ctx.task.id for ctx in contexts])
        for ctx in contexts:
            if ctx.task.id in going_on and ctx.task.id not in kept:
                uow.build_data.add(
                    node=ctx.node,
                    task_id=ctx.task.id,
                    generator=generator,
                    data_format="application/json",
                    data_element=json.dumps(documents[ctx.node], sort_keys=True),
                )
        uow.commit()
