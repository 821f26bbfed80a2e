"""Tasks as clients see them: the keys of upstream Drydock, and ours beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from drydock.api.addresses import Address
from drydock.api.route import PREFIX
from drydock.api.views.build_data import build_data_view
from drydock.api.views.times import optional_timestamp, timestamp
from drydock.design.secrecy import without_password
from drydock.errors import InvalidInput
from drydock.model.build_data import BuildData
from drydock.model.confirmation import Confirmation
from drydock.model.machine import MachineContact
from drydock.model.message import TaskMessage
from drydock.model.rollout import PLAIN, Rollout
from drydock.model.task import Task

Json = dict[str, Any]


def task_view(task: Task, at: Address, *, build_data: Sequence[BuildData] | None = None) -> Json:
    """``at``: where links in it lead to. ``build_data`` adds the key of that name."""
    view: Json = {
        "kind": "Task",
        "apiVersion": "v1",
        "task_id": str(task.id),
        "action": task.action.value,
        "parent_task_id": None if task.parent_id is None else str(task.parent_id),
        "design_ref": without_password(task.design_ref),
        "status": task.status.value,
        "result": _result_view(task, at),
        "node_filter": task.node_filter,
        "subtask_id_list": list(task.subtask_ids),
        "created": timestamp(task.created),
        "created_by": task.created_by,
        "updated": timestamp(task.updated),
        "terminated": optional_timestamp(task.terminated),
        "terminated_by": task.terminated_by,
        "terminate": task.terminate,
        "retry": task.attempt,
        "node": task.node,
        "step": task.step,
        "step_since": optional_timestamp(task.step_since),
        "deadline_at": optional_timestamp(task.deadline_at),
        "attempt": task.attempt,
        "reason": task.reason,
        "last_error": task.last_error,
        "error_attempts": task.error_attempts,
        "force": task.force,
        "retry_of": None if task.retry_of is None else str(task.retry_of),
        "expect_nodes": task.expect_nodes,
        "all_nodes": bool(task.all_nodes),
        "rollout": task.rollout,
        "plan": task.plan,
        "paused": optional_timestamp(task.paused),
        "paused_by": task.paused_by,
        "progress": _progress_view(task),
        "design_digest": task.design_digest,
        "machine": _machine_view(task.machine),
        "confirmations": [_confirmation_view(confirmation) for confirmation in task.confirmations],
    }
    if build_data is not None:
        view["build_data"] = [build_data_view(item) for item in build_data]
    return view


def layers_view(
    tasks: Sequence[Task], at: Address, build_data: Mapping[UUID, Sequence[BuildData]] | None = None
) -> Json:
    """The other shape of a task: it and those below it by id. The first of ``tasks`` is the one asked for."""
    view: Json = {"init_task_id": str(tasks[0].id)}
    for task in tasks:
        view[str(task.id)] = task_view(task, at, build_data=None if build_data is None else build_data[task.id])
    return view


def subtask_errors_view(errors: Mapping[UUID, Sequence[TaskMessage]]) -> Json:
    """By task id, what went wrong in a subtask, in the shape of a result's details."""
    return {
        str(task_id): {
            "kind": "Status",
            "apiVersion": "v1.0",
            "metadata": {},
            "task_id": str(task_id),
            "status": "failure",
            "message": messages[-1].message,
            "details": _details_view(messages),
        }
        for task_id, messages in errors.items()
        if messages
    }


def _result_view(task: Task, at: Address) -> Json:
    result = task.result
    # Absolute: clients fetch it as it stands.
    href = at.url(f"{PREFIX}/tasks/{task.id}/builddata") if task.has_build_data else None
    return {
        "kind": "Status",
        "apiVersion": "v1.0",
        "metadata": {},
        "message": result.message,
        "reason": result.reason,
        "status": result.status.value,
        "successes": list(result.successes),
        "failures": list(result.failures),
        "links": [] if href is None else [{"rel": "detail_logs", "href": href}],
        "details": _details_view(result.messages),
    }


def _details_view(messages: Sequence[TaskMessage]) -> Json:
    return {
        "errorCount": sum(1 for message in messages if message.error),
        "messageList": [message_view(message) for message in messages],
    }


def message_view(message: TaskMessage) -> Json:
    return {
        "message": message.message,
        "error": message.error,
        "context_type": message.context_type,
        "context": message.context,
        "ts": timestamp(message.ts),
        "extra": message.extra,
    }


def _machine_view(machine: MachineContact | None) -> Json | None:
    """Of a node's own task, once its machine is expected."""
    if machine is None:
        return None
    return {
        "first_contact": optional_timestamp(machine.first_contact),
        "last_contact": optional_timestamp(machine.last_contact),
        "stage": machine.stage or None,
    }


def _confirmation_view(confirmation: Confirmation) -> Json:
    return {
        "step": confirmation.step,
        "asked": timestamp(confirmation.asked),
        "confirmed": optional_timestamp(confirmation.confirmed),
        "confirmed_by": confirmation.confirmed_by,
        "note": confirmation.note,
    }


def _progress_view(task: Task) -> Json | None:
    progress = task.progress
    if progress is None:
        return None
    view = {"total": progress.total, "by_status": dict(progress.by_status), "by_step": dict(progress.by_step)}
    if task.rollout is not None and task.wave is not None:
        view["wave"] = task.wave + 1
        view["waves"] = _waves(task.rollout, progress.total)
    return view


def _waves(rollout: Mapping[str, Any], total: int) -> int | None:
    """How many; None for a rollout that only another version can read."""
    try:
        return len(Rollout.parse(rollout, PLAIN).ends(total))
    except InvalidInput:
        return None
