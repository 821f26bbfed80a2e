"""One task with all that its reply shows, by one prepared statement: clients poll it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Text, bindparam, case, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from drydock.db.confirmations import COLUMNS
from drydock.db.prepared import Prepared
from drydock.db.rows import task_from_row
from drydock.db.subtasks import id_list, ids_of, progress_of
from drydock.db.tables import boot_contacts, build_data, task_confirmations, task_messages, tasks
from drydock.db.thread_connections import ThreadConnections
from drydock.db.values import read_json
from drydock.errors import TaskNotFound
from drydock.model.confirmation import Confirmation
from drydock.model.machine import MachineContact
from drydock.model.message import TaskMessage
from drydock.model.task import Task

_ID = bindparam("of_task", type_=tasks.c.id.type)
_MESSAGE = ("message", "error", "ts", "context_type", "context", "extra")


def read_task(connections: ThreadConnections, task_id: UUID) -> Task:
    """The task with its messages, subtask ids, progress, machine, and whether it has build data.

    Raises ``TaskNotFound``, ``DatabaseUnavailable``; ``RowUnreadable`` for one that only SQLAlchemy's driver can read.
    """
    row = connections.row(TASK, {"of_task": task_id})
    if row is None:
        raise TaskNotFound(f"there is no task {task_id}")
    return task_from_row(
        row,
        messages=tuple(_messages(row.messages or ())),
        subtask_ids=id_list(row.below),
        progress=None if row.progress is None else progress_of((status, step, n) for status, step, n in row.progress),
        confirmations=tuple(_confirmations(row.confirmations or ())),
        machine=MachineContact(row.first_contact, row.last_contact, row.stage) if row.expected else None,
    )


def _messages(rows: Iterable[Mapping[str, Any]]) -> Iterable[TaskMessage]:
    for row in rows:
        yield TaskMessage(**{**row, "ts": datetime.fromisoformat(row["ts"]), "extra": read_json(row["extra"])})


def _confirmations(rows: Iterable[Mapping[str, Any]]) -> Iterable[Confirmation]:
    for row in rows:
        confirmed = row["confirmed"] and datetime.fromisoformat(row["confirmed"])
        yield Confirmation(**{**row, "asked": datetime.fromisoformat(row["asked"]), "confirmed": confirmed})


def _json_object(columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    pairs: list[tuple[ColumnElement[Any], ColumnElement[Any]]] = [
        (literal_column(f"'{name}'"), column) for name, column in columns.items()
    ]
    return func.json_build_object(*chain.from_iterable(pairs))


def _confirmations_json() -> ScalarSelect[Any]:
    """The confirmations of the task, in the order in which they were asked for, as JSON."""
    line = _json_object({name: task_confirmations.c[name] for name in COLUMNS})
    return (
        select(func.json_agg(aggregate_order_by(line, task_confirmations.c.asked)))
        .where(task_confirmations.c.task_id == tasks.c.id)
        .scalar_subquery()
    )


def _messages_json() -> ScalarSelect[Any]:
    """The messages of the task, oldest first, as JSON."""
    # ``extra`` as text: it may be nested deeper than the JSON of all messages may be.
    columns = {name: task_messages.c[name] for name in _MESSAGE} | {"extra": cast(task_messages.c.extra, Text)}
    line = _json_object(columns)
    return (
        select(func.json_agg(aggregate_order_by(line, task_messages.c.id)))
        .where(task_messages.c.task_id == tasks.c.id)
        .scalar_subquery()
    )


def _below() -> ScalarSelect[Any]:
    below = tasks.alias("below")
    return select(ids_of(below)).where(below.c.parent_id == tasks.c.id).scalar_subquery()


def _progress() -> ScalarSelect[Any]:
    """``[[status, step, number], …]`` of its subtasks, as JSON."""
    below = tasks.alias("counted")
    counted = (
        select(below.c.status, below.c.step, func.count().label("number"))
        .where(below.c.parent_id == tasks.c.id)
        .group_by(below.c.status, below.c.step)
        .correlate(tasks)
        .subquery("counted_by")
    )
    return select(
        func.json_agg(func.json_build_array(counted.c.status, counted.c.step, counted.c.number))
    ).scalar_subquery()


def _statement() -> Any:
    has_data = select(literal(1)).where(build_data.c.task_id == tasks.c.id).exists()
    of_node = tasks.c.node.is_not(None)
    # A node's task has no subtasks, and only at a node there is something to confirm: CASE spares the looks.
    return (
        select(
            *tasks.c,
            boot_contacts.c.first_contact,
            boot_contacts.c.last_contact,
            func.coalesce(boot_contacts.c.stage, literal_column("''", Text)).label("stage"),
            boot_contacts.c.context_id.is_not(None).label("expected"),
            _messages_json().label("messages"),
            case((of_node, _confirmations_json())).label("confirmations"),
            case((~of_node, _below())).label("below"),
            case((~of_node, _progress())).label("progress"),
            # Only work on a node leaves build data.
            (of_node & has_data).label("has_build_data"),
        )
        .select_from(tasks)
        .outerjoin(boot_contacts, boot_contacts.c.task_id == tasks.c.id)
        .where(tasks.c.id == _ID)
    )


#: With one parameter, the task's id.
TASK = Prepared("drydock_task", _statement())
