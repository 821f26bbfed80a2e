"""From a task that has ended to a request for the same work on the nodes that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from drydock.errors import InvalidInput, NothingToRetry, TaskNotEnded
from drydock.model.node_filter import parse_node_filter
from drydock.model.rollup import NodeOutcome
from drydock.model.task import NewTask, ResultStatus, Task
from drydock.orchestrator.services.scope_guard import guarded


def retry_of(task: Task, outcomes: Sequence[NodeOutcome], *, created_by: str) -> NewTask:
    """``outcomes``: of its subtasks.

    The new task works on the design that the old one was pinned to, whatever its reference leads to by now, and goes
    ahead with force, and with a rollout, if the old one did.

    Raises ``InvalidInput``, ``TaskNotEnded``, ``NothingToRetry``.
    """
    if task.parent_id is not None:
        raise InvalidInput(f"is a node's part of task {task.parent_id}; retry that", field="retry_of")
    if task.status.open:
        raise TaskNotEnded(f"task {task.id} is {task.status}: it can be retried when it has ended")
    if not task.action.known:
        raise InvalidInput(f"has the action {task.action}, which this version does not know", field="retry_of")
    failed = [outcome.node for outcome in outcomes if outcome.status is not ResultStatus.SUCCESS]
    if not failed:
        why = "no node of it failed" if outcomes else "it had come to no node; ask for the same work anew"
        raise NothingToRetry(f"task {task.id} has nothing to retry: {why}")
    return NewTask(
        action=task.action,
        design_ref=task.design_ref,
        design_digest=task.design_digest,
        node_filter=_by_name(failed),
        created_by=created_by,
        force=task.force,
        retry_of=task.id,
        # The request for that task confirmed its size, or did not have to; this one is for a part of it, by name.
        all_nodes=guarded(task),
        rollout=task.rollout,
        plan=task.plan,
    )


def left_to_do(new: NewTask, *, at_work: UUID | None, settled: Mapping[str, UUID]) -> NewTask:
    """The retry without the nodes that a later task brought to success. Raises ``NothingToRetry``.

    ``at_work``: a retry of the same task that has not ended. ``settled``: by node, the task that did.
    """
    if at_work is not None:
        raise NothingToRetry(f"task {new.retry_of} is being retried: wait for task {at_work} to end")
    failed = names_of(new.node_filter)
    left = [name for name in failed if name not in settled]
    if not left:
        by = ", ".join(str(task_id) for task_id in dict.fromkeys(settled[name] for name in failed))
        raise NothingToRetry(f"task {new.retry_of} has nothing to retry: its nodes came to success later, by task {by}")
    return replace(new, node_filter=_by_name(left))


def _by_name(names: Sequence[str]) -> Mapping[str, Any]:
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": list(names)}]}


def names_of(value: Mapping[str, Any] | None) -> Sequence[str]:
    """The nodes that the node filter of a retry names."""
    node_filter = parse_node_filter(value)
    return [name for one in (node_filter.filters if node_filter else ()) for name in one.node_names]
