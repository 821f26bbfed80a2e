"""Tasks and node filters as records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from drydock.model.actions import Action
from drydock.model.task import NewTask, Task, TaskStatus

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def task_record(**changes: Any) -> Task:
    """A running task of its own."""
    number = uuid4()
    task = Task(number, number, Action.DEPLOY_NODES, "drydock://designs/x", TaskStatus.RUNNING, NOON, NOON)
    return replace(task, **changes)


def new_task(*, key: str | None = None, by: str = "alice", action: Action = Action.DEPLOY_NODES) -> NewTask:
    return NewTask(action, "drydock://designs/x", created_by=by, idempotency_key=key)


def named_nodes(*names: str) -> dict[str, Any]:
    """The node filter of these nodes."""
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": list(names)}]}
