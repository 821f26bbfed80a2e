"""Rows of the tasks table become records, and text becomes what a row can hold.

The one place where a task is built: a column that is a field of the same name needs nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from drydock.db.tables import tasks
from drydock.model.actions import Action
from drydock.model.message import TaskMessage
from drydock.model.task import Lease, ResultStatus, Task, TaskResult, TaskStatus

#: Fields of a task that are columns of the same name, and hold what the column holds.
_SAME = tuple(field.name for field in fields(Task) if field.name in tasks.c and field.name not in ("action", "status"))


def storable(text: str) -> str:
    """PostgreSQL stores any text but NUL and lone surrogates; text of other programs may hold both."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def task_from_row(row: Any, *, messages: tuple[TaskMessage, ...] = (), **more: Any) -> Task:
    """A task without subtask ids and progress, which are queries of their own, but for ``messages`` and ``more`` of its
    fields. ``row``: a named tuple.

    Never raises: a row may hold what only a newer version knows.
    """
    # NOTE: an attribute of SQLAlchemy's row takes a microsecond, and workers claim thousands of rows of forty.
    return task_from_columns(dict(zip(row._fields, row, strict=True)), messages=messages, **more)


def task_from_columns(columns: Mapping[str, Any], *, messages: tuple[TaskMessage, ...] = (), **more: Any) -> Task:
    """As ``task_from_row``, from values by column."""
    lease = None
    if columns["lease_owner"] is not None:
        lease = Lease(owner=columns["lease_owner"], epoch=columns["lease_epoch"], until=columns["lease_until"])
    return Task(
        **{name: columns[name] for name in _SAME},
        overdue=bool(columns.get("overdue")),
        lapsed=bool(columns.get("lapsed")),
        has_build_data=bool(columns.get("has_build_data")),
        action=Action.stored(columns["action"]),
        status=TaskStatus.stored(columns["status"]),
        result=TaskResult(
            status=ResultStatus.stored(columns["result_status"]),
            message=columns["result_message"],
            reason=columns["result_reason"],
            successes=tuple(columns["successes"]),
            failures=tuple(columns["failures"]),
            messages=messages,
        ),
        lease=lease,
        **more,
    )


_MADE_WITH = {field.name: field.default for field in fields(Task) if field.default is not MISSING} | {
    "lease_owner": None,
    "result_status": ResultStatus.INCOMPLETE,
    "result_message": "",
    "result_reason": "",
    "successes": (),
    "failures": (),
}


def new_task(columns: Mapping[str, Any]) -> Task:
    """A task that was just queued; ``columns``: those that have no default."""
    return task_from_columns({**_MADE_WITH, **columns})
