"""Facts that drivers find become build data of the task that asked for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from drydock.model.hardware_facts import HardwareFacts, facts_document
from drydock.orchestrator.workflows.workflow import StepContext


def keep_facts(contexts: Sequence[StepContext], generator: str, found: Mapping[str, HardwareFacts]) -> None:
    """``found``: by node, of all these. Nothing is kept for a task that is to stop, nor twice for any."""
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
                    data_element=json.dumps(facts_document(found[ctx.node]), sort_keys=True),
                )
        uow.commit()
