"""From a task that has ended to a request for the same work on the nodes that failed."""

from __future__ import annotations

from collections.abc import Sequence

from drydock.errors import InvalidInput, NothingToRetry, TaskNotEnded
from drydock.model.task import NewTask, ResultStatus, Task


def retry_of(task: Task, outcomes: Sequence[tuple[str, ResultStatus, str, str]], *, created_by: str) -> NewTask:
    """``outcomes``: (node, result, step, reason) of its subtasks.

    The new task works on the design that the old one was pinned to, whatever its reference leads to by now, and goes
    ahead with force if the old one did. Raises ``InvalidInput``, ``TaskNotEnded``, ``NothingToRetry``.
    """
    if task.parent_id is not None:
        raise InvalidInput(f"is a node's part of task {task.parent_id}; retry that", field="retry_of")
    if task.status.open:
        raise TaskNotEnded(f"task {task.id} is {task.status}: it can be retried when it has ended")
    if not task.action.known:
        raise InvalidInput(f"has the action {task.action}, which this version does not know", field="retry_of")
    failed = [node for node, result, _, _ in outcomes if result is not ResultStatus.SUCCESS]
    if not failed:
        why = "no node of it failed" if outcomes else "it had come to no node; ask for the same work anew"
        raise NothingToRetry(f"task {task.id} has nothing to retry: {why}")
    return NewTask(
        action=task.action,
        design_ref=task.design_ref,
        design_digest=task.design_digest,
        node_filter={"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": failed}]},
        created_by=created_by,
        force=task.force,
        retry_of=task.id,
    )
