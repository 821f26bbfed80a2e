"""Queueing: a request becomes a task, and a task's plan becomes subtasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Double, Integer, Text, Uuid, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert

from drydock.db.designs import named
from drydock.db.notifications import CHANGE, WORK, notify_change, notify_work
from drydock.db.predicates import seconds_of
from drydock.db.prepared import ForeignKeyMissing, Prepared
from drydock.db.rows import new_task
from drydock.db.tables import tasks
from drydock.db.tasks import TaskRepository
from drydock.db.thread_connections import ThreadConnections
from drydock.errors import IdempotencyConflict, TaskNotFound
from drydock.model.actions import Action
from drydock.model.design import snapshot_of
from drydock.model.rollout import AWAIT_WAVE, FIRST_STEP
from drydock.model.task import Lane, NewTask, Task, TaskStatus

_NAMED = named(bindparam("named_design", type_=Text))
#: In one round trip with the notifications, and with the record that the design was named.
ADD = (
    insert(tasks)
    .values(wake_at=func.now())
    .add_cte(_NAMED.cte("named"))
    .on_conflict_do_nothing(index_elements=["created_by", "idempotency_key"])
    .returning(tasks.c.created, tasks.c.updated, func.pg_notify(WORK, ""), func.pg_notify(CHANGE, ""))
)
#: Fields of a request; each is a column of its task.
_REQUESTED = tuple(field.name for field in fields(NewTask))
ADD_TASK = Prepared("drydock_add_task", ADD, ("id", "root_id", "lane", "status", "step", "request_digest", *_REQUESTED))


def _add_subtasks() -> Insert:
    wanted = (
        func.unnest(
            cast(bindparam("of_ids", type_=ARRAY(Uuid)), ARRAY(Uuid)),
            cast(bindparam("of_nodes", type_=ARRAY(Text)), ARRAY(Text)),
            cast(bindparam("of_waves", type_=ARRAY(Integer)), ARRAY(Integer)),
        )
        .table_valued("id", "node", "wave", with_ordinality="place")
        .render_derived()
    )
    same_for_all: dict[str, ColumnElement[Any]] = {
        name: bindparam(f"of_{name}", type_=tasks.c[name].type) for name in _SHARED
    }
    due = func.now() + seconds_of((wanted.c.place - 1) / bindparam("start_rate", type_=Double))
    # Those of a rollout are released by their task, wave by wave.
    at_once = wanted.c.wave.is_(None)
    begins = (wanted.c.wave, case((~at_once, AWAIT_WAVE)), case((at_once, due)))
    rows = select(wanted.c.id, wanted.c.node, *same_for_all.values(), *begins).order_by(wanted.c.place)
    return (
        insert(tasks)
        .from_select(["id", "node", *same_for_all, "wave", "step", "wake_at"], rows)
        .on_conflict_do_nothing(index_elements=["parent_id", "node"], index_where=tasks.c.node.is_not(None))
    )


#: Columns with one value for all subtasks of a task.
_SHARED = (
    *("root_id", "parent_id", "action", "design_ref", "design_digest", "status"),
    *("created_by", "request_id", "force", "lane", "plan"),
)
ADD_SUBTASKS = _add_subtasks()


def _columns(new: NewTask, request_digest: bytes | None) -> dict[str, Any]:
    """A queued task by columns."""
    task_id = uuid4()
    return {
        **{name: getattr(new, name) for name in _REQUESTED},
        "id": task_id,
        "root_id": task_id,
        "action": new.action.value,
        "lane": Lane.TASK.value,
        "status": TaskStatus.QUEUED.value,
        "step": None if new.rollout is None else FIRST_STEP,
        "request_digest": request_digest,
    }


def _parameters(new: NewTask, columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {"named_design": new.design_digest or snapshot_of(new.design_ref)}


def _queued(columns: dict[str, Any], row: Any) -> Task:
    """The database added only the times: to read forty columns back would take as long as to queue the task."""
    return new_task(columns | {"created": row.created, "updated": row.updated})


def add_task(connections: ThreadConnections, new: NewTask, *, request_digest: bytes | None) -> Task | None:
    """Queue a task in a transaction of its own. None if the idempotency key was used before.

    Raises ``TaskNotFound`` if the task that it retries was deleted meanwhile, ``DatabaseUnavailable``.
    """
    columns = _columns(new, request_digest)
    as_text = {
        name: None if columns[name] is None else json.dumps(columns[name]) for name in ("node_filter", "rollout")
    }
    try:
        row = connections.execute_write(ADD_TASK, _parameters(new, columns) | as_text)
    except ForeignKeyMissing as exc:
        raise TaskNotFound(f"task {new.retry_of} was deleted meanwhile") from exc
    return None if row is None else _queued(columns, row)


class TaskQueueStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: NewTask, *, request_digest: bytes | None) -> Task:
        """Queue a task, due at once.

        With an idempotency key that ``created_by`` used before: the task of that time, if the request is the same.
        Raises ``IdempotencyConflict`` if it is not.
        """
        while True:
            columns = _columns(new, request_digest)
            row = self._connection.execute(ADD, _parameters(new, columns)).one_or_none()
            if row is not None:
                return _queued(columns, row)
            earlier = self.of_request(new, request_digest=request_digest)
            # None only if the earlier task was deleted between the two statements.
            if earlier is not None:
                return earlier

    def of_request(self, new: NewTask, *, request_digest: bytes | None) -> Task | None:
        """The task that an equal request with this idempotency key made before, None without one.

        Raises ``IdempotencyConflict`` if the request with this key was another.
        """
        if new.idempotency_key is None:
            return None
        row = self._connection.execute(
            select(tasks.c.id, tasks.c.request_digest).where(
                tasks.c.created_by == new.created_by, tasks.c.idempotency_key == new.idempotency_key
            )
        ).one_or_none()
        if row is None:
            return None
        if row.request_digest != request_digest:
            raise IdempotencyConflict("this Idempotency-Key was used with another request; send a new one")
        return TaskRepository(self._connection).get(row.id)


class TaskQueueRepository(TaskQueueStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def add_subtasks(
        self,
        parent: Task,
        action: Action,
        nodes: Sequence[str],
        *,
        lane: Lane,
        start_rate: float,
        waves: Mapping[str, int] | None = None,
        force: bool | None = None,
    ) -> None:
        """One subtask per node, in one statement; ``start_rate`` of them become due per second.

        The spread keeps a large site from flooding BMCs and provisioner, and from going before a small task that
        comes a moment later: work is done in the order in which it is due. Nodes that have a subtask keep it.
        ``waves``: by node; such subtasks are not due before they are released. ``force``: None for the task's.
        """
        shared = {
            "root_id": parent.root_id,
            "parent_id": parent.id,
            "action": action.value,
            "design_ref": parent.design_ref,
            "design_digest": parent.design_digest,
            "status": TaskStatus.QUEUED.value,
            "created_by": parent.created_by,
            "request_id": parent.request_id,
            "force": parent.force if force is None else force,
            "lane": lane.value,
            "plan": parent.plan,
        }
        self._connection.execute(
            ADD_SUBTASKS,
            {
                "of_ids": [uuid4() for _ in nodes],
                "of_nodes": list(nodes),
                "of_waves": [None if waves is None else waves[node] for node in nodes],
                "start_rate": start_rate,
                **{f"of_{name}": value for name, value in shared.items()},
            },
        )
        notify_work(self._connection)
        notify_change(self._connection)
