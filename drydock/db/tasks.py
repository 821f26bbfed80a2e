"""Tasks as the API and the planner see them: create, read, list, terminate, delete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import (
    Connection,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from drydock.db.build_data import BuildDataRepository
from drydock.db.designs import named
from drydock.db.locking import LOCK_ORDER
from drydock.db.machines import MachineRepository
from drydock.db.messages import MessageRepository
from drydock.db.notifications import CHANGE, WORK, notify_change, notify_work
from drydock.db.prepared import OwnConnections, Prepared
from drydock.db.rows import task_from_row
from drydock.db.subtasks import read_below
from drydock.db.tables import NEXT_TRANSACTION, TRANSACTION, boot_contexts, tasks
from drydock.db.task_lists import listed
from drydock.db.termination import terminate
from drydock.errors import IdempotencyConflict, TaskNotFound
from drydock.model.actions import Action
from drydock.model.design import snapshot_of
from drydock.model.task import CLOSED, Lane, NewTask, ResultStatus, Task, TaskPage, TaskQuery, TaskStatus

#: Rows read at once when a list has no limit of its own.
PAGE = 500

_CLOSED = [status.value for status in CLOSED]
_OPEN = tasks.c.status.notin_(_CLOSED)


_waiting = tasks.alias("waiting")
# The next of each node, and each parent whose last subtask has ended.
_older = tasks.alias("older")
_goes_before = select(_older.c.id).where(
    _older.c.node == _waiting.c.node, _older.c.seq < _waiting.c.seq, _older.c.status.notin_(_CLOSED)
)
_next_of_node = select(_waiting.c.id).where(
    _waiting.c.node == any_(bindparam("of_nodes", type_=ARRAY(Text))),
    _waiting.c.status.notin_(_CLOSED),
    ~_goes_before.exists(),
)
_parents = tasks.alias("parents")
_still_open = select(_waiting.c.id).where(_waiting.c.parent_id == _parents.c.id, _waiting.c.status.notin_(_CLOSED))
_rolled_up = select(_parents.c.id).where(
    _parents.c.id == any_(bindparam("of_parents", type_=ARRAY(Uuid))), ~_still_open.exists()
)
_woken = (
    select(tasks.c.id)
    .where(tasks.c.id.in_(union_all(_next_of_node, _rolled_up)), _OPEN)
    .order_by(*LOCK_ORDER)
    .with_for_update(key_share=True)
    .cte("woken")
)
_WAKE_AFTER_END = (
    update(tasks)
    .where(tasks.c.id == _woken.c.id)
    .values(wake_at=func.clock_timestamp(), wake_requested=True)
    .returning(func.pg_notify(WORK, ""))
)


_NAMED = named(bindparam("named_design", type_=Text))
#: The wake-ups ride along: they are sent when the transaction commits. So does it that the design was named.
_ADD = (
    insert(tasks)
    .values(wake_at=func.now())
    .add_cte(_NAMED.cte("named"))
    .on_conflict_do_nothing(index_elements=["created_by", "idempotency_key"])
    .returning(tasks.c.created, tasks.c.updated, func.pg_notify(WORK, ""), func.pg_notify(CHANGE, ""))
)
_QUEUED = (
    *("id", "root_id", "action", "design_ref", "design_digest", "node_filter", "force", "retry_of", "lane", "status"),
    *("created_by", "request_id", "idempotency_key", "request_digest", "expect_nodes", "all_nodes"),
)
_PREPARED = Prepared("drydock_add_task", _ADD, _QUEUED)
#: What ``add_quickly`` needs.
PREPARED = (_PREPARED,)


def _new_row(new: NewTask, request_digest: bytes | None) -> dict[str, Any]:
    """A queued task by columns."""
    task_id = uuid4()
    return {
        "id": task_id,
        "root_id": task_id,
        "action": new.action.value,
        "design_ref": new.design_ref,
        "design_digest": new.design_digest,
        "node_filter": new.node_filter,
        "force": new.force,
        "retry_of": new.retry_of,
        "lane": Lane.TASK.value,
        "status": TaskStatus.QUEUED.value,
        "created_by": new.created_by,
        "request_id": new.request_id,
        "idempotency_key": new.idempotency_key,
        "request_digest": request_digest,
        "expect_nodes": new.expect_nodes,
        "all_nodes": new.all_nodes,
        "named_design": new.design_digest or snapshot_of(new.design_ref),
    }


def add_quickly(connections: OwnConnections, new: NewTask, *, request_digest: bytes | None) -> Task | None:
    """As ``TaskRepository.add``, in a transaction of its own; None if the idempotency key was used before.

    Raises ``TaskNotFound`` if the task that it repeats was deleted meanwhile, ``DatabaseUnavailable``.
    """
    values = _new_row(new, request_digest)
    values["node_filter"] = None if new.node_filter is None else json.dumps(new.node_filter)
    try:
        row = connections.once(_PREPARED, values)
    except psycopg.errors.ForeignKeyViolation as exc:
        raise TaskNotFound(f"task {new.retry_of} was deleted meanwhile") from exc
    return None if row is None else _queued(new, values["id"], row)


def _queued(new: NewTask, task_id: UUID, row: Any) -> Task:
    """What the database added to it are only times: reading forty columns back took as long as queueing it."""
    return Task(
        id=task_id,
        root_id=task_id,
        action=new.action,
        design_ref=new.design_ref,
        status=TaskStatus.QUEUED,
        created=row.created,
        updated=row.updated,
        created_by=new.created_by,
        node_filter=new.node_filter,
        design_digest=new.design_digest,
        force=new.force,
        retry_of=new.retry_of,
        request_id=new.request_id,
        expect_nodes=new.expect_nodes,
        all_nodes=new.all_nodes,
    )


class TaskRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._messages = MessageRepository(connection)

    def add(self, new: NewTask, *, request_digest: bytes | None) -> Task:
        """Queue a task, due at once.

        With an idempotency key that ``created_by`` used before: the task of that time, if the request is the same.
        Raises ``IdempotencyConflict`` if it is not.
        """
        values = _new_row(new, request_digest)
        row = self._connection.execute(_ADD, values).one_or_none()
        if row is not None:
            return _queued(new, values["id"], row)
        earlier = self.earlier(new, request_digest=request_digest)
        # Only one that was deleted at this very moment is not there.
        return self.add(new, request_digest=request_digest) if earlier is None else earlier

    def earlier(self, new: NewTask, *, request_digest: bytes | None) -> Task | None:
        """The task that was made of the same request before. Raises ``IdempotencyConflict`` if it was another."""
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
        return self.get(row.id)

    def add_subtasks(
        self, parent: Task, action: Action, nodes: Sequence[str], *, lane: Lane, start_rate: float
    ) -> None:
        """One subtask per node, in one statement; ``start_rate`` of them become due per second.

        The spread keeps a large site from flooding BMCs and provisioner, and from going before a small task that
        comes a moment later: work is done in the order in which it is due. Nodes that have a subtask keep it.
        """
        columns = func.unnest(cast([uuid4() for _ in nodes], ARRAY(Uuid)), cast(list(nodes), ARRAY(Text)))
        wanted = columns.table_valued("id", "node", with_ordinality="place").render_derived()
        same_for_all = {
            "root_id": literal(parent.root_id, Uuid),
            "parent_id": literal(parent.id, Uuid),
            "action": literal(action.value),
            "design_ref": literal(parent.design_ref),
            "design_digest": literal(parent.design_digest, Text),
            "status": literal(TaskStatus.QUEUED.value),
            "created_by": literal(parent.created_by),
            "request_id": literal(parent.request_id),
            "force": literal(parent.force),
            "lane": literal(lane.value),
            "wake_at": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, (wanted.c.place - 1) / start_rate),
        }
        rows = select(wanted.c.id, wanted.c.node, *same_for_all.values()).order_by(wanted.c.place)
        self._connection.execute(
            insert(tasks)
            .from_select(["id", "node", *same_for_all], rows)
            .on_conflict_do_nothing(index_elements=["parent_id", "node"], index_where=tasks.c.node.is_not(None))
        )
        notify_work(self._connection)
        notify_change(self._connection)

    def get(self, task_id: UUID) -> Task:
        """The task with its messages, subtask ids and progress. Raises ``TaskNotFound``."""
        row = self._connection.execute(select(tasks).where(tasks.c.id == task_id)).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        return self._with_details([task_from_row(row)])[0]

    def exists(self, task_id: UUID) -> bool:
        return self._connection.scalar(select(tasks.c.id).where(tasks.c.id == task_id)) is not None

    def children(self, parent_id: UUID) -> tuple[Task, ...]:
        rows = self._connection.execute(select(tasks).where(tasks.c.parent_id == parent_id).order_by(tasks.c.seq)).all()
        return tuple(self._with_details([task_from_row(row) for row in rows]))

    def outcomes(self, parent_id: UUID) -> Sequence[tuple[str, ResultStatus, str, str, str]]:
        """(node, result, step, reason, last error) of every subtask, in node order."""
        rows = self._connection.execute(
            select(
                func.coalesce(tasks.c.node, cast(tasks.c.id, Text)).label("node"),
                tasks.c.result_status,
                tasks.c.step,
                tasks.c.result_reason,
                tasks.c.last_error,
            )
            .where(tasks.c.parent_id == parent_id)
            .order_by(tasks.c.node)
        ).all()
        return [
            (row.node, ResultStatus.stored(row.result_status), row.step or "", row.result_reason, row.last_error)
            for row in rows
        ]

    def of_deployments(self, context_ids: Sequence[UUID]) -> Mapping[UUID, tuple[Task, bool]]:
        """By boot context: the task that made it, and whether it was revoked since; only those on record."""
        rows = self._connection.execute(
            select(tasks, boot_contexts.c.id.label("context_id"), boot_contexts.c.ended)
            .join(boot_contexts, boot_contexts.c.task_id == tasks.c.id)
            .where(boot_contexts.c.id.in_(context_ids))
        )
        return {row.context_id: (task_from_row(row), row.ended is not None) for row in rows}

    def page(self, query: TaskQuery) -> TaskPage:
        """At most ``query.limit`` tasks. An unknown ``marker`` raises ``TaskNotFound``."""
        limit = query.limit or PAGE
        after = None if query.marker is None else self._seq(query.marker)
        statement = listed(query, after=after, limit=limit + 1)
        found = [task_from_row(row) for row in self._connection.execute(statement)]
        page = self._with_details(found[:limit])
        return TaskPage(tuple(page), next_marker=page[-1].id if len(found) > limit else None)

    def _seq(self, task_id: UUID) -> int:
        seq: int | None = self._connection.scalar(select(tasks.c.seq).where(tasks.c.id == task_id))
        if seq is None:
            raise TaskNotFound(f"there is no task {task_id} to start the page after")
        return seq

    def _with_details(self, found: Sequence[Task]) -> list[Task]:
        ids = [task.id for task in found]
        messages = self._messages.of_tasks(ids)
        # Only work on a node leaves build data.
        of_nodes = [task.id for task in found if task.node is not None]
        heard = MachineRepository(self._connection).of_tasks(of_nodes)
        below = read_below(self._connection, [task.id for task in found if task.parent_id is None])
        documented = BuildDataRepository(self._connection).tasks_with_any(of_nodes)
        return [
            replace(
                task,
                result=replace(task.result, messages=messages.get(task.id, ())),
                subtask_ids=below[task.id].ids if task.id in below else (),
                machine=heard.get(task.id),
                progress=below[task.id].progress if task.id in below else None,
                has_build_data=task.id in documented,
            )
            for task in found
        ]

    def version(self, task_id: UUID) -> tuple[TaskStatus, object]:
        """Its status, and what differs whenever the task or any of its subtasks changed. Raises ``TaskNotFound``.

        The time alone would not do: after a restore, or with a new server, it may be behind what rows say.
        """
        below = tasks.alias("below")
        newest = select(func.max(below.c.updated)).where(below.c.root_id == task_id).scalar_subquery()
        last = (
            select(func.max(below.c.changed_in))
            .where(below.c.root_id == task_id, below.c.changed_in < NEXT_TRANSACTION)
            .scalar_subquery()
        )
        row = self._connection.execute(
            select(tasks.c.status, tasks.c.updated, tasks.c.changed_in, newest, last).where(tasks.c.id == task_id)
        ).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        return TaskStatus.stored(row.status), tuple(row)

    def terminate(self, task_id: UUID, *, by: str) -> None:
        """Mark a task and its subtasks. Raises ``TaskNotFound``."""
        terminate(self._connection, task_id, by=by)

    def wake(self, task_id: UUID) -> None:
        """Make an open task due now, even if a worker is looking at it at this moment."""
        self._connection.execute(
            update(tasks)
            .where(tasks.c.id == task_id, _OPEN)
            .values(wake_at=func.clock_timestamp(), wake_requested=True)
        )
        notify_work(self._connection)

    def touch(self, task_id: UUID) -> None:
        """Something about the task changed that is not in its row; tell whoever watches."""
        self._connection.execute(
            update(tasks).where(tasks.c.id == task_id).values(updated=func.clock_timestamp(), changed_in=TRANSACTION)
        )
        notify_change(self._connection)

    def wake_after_end(self, ended: Sequence[Task]) -> None:
        """Wake who waited for ended node tasks: the node's next, and a parent whose last subtask it was.

        Called after their own transaction: the last two subtasks to end would else not see each other.
        """
        nodes = [task.node for task in ended]
        parents = list({task.parent_id for task in ended})
        self._connection.execute(_WAKE_AFTER_END, {"of_nodes": nodes, "of_parents": parents}).all()

    def count_children(self, parent_id: UUID) -> tuple[int, int]:
        """Subtasks of a task, and those of them that have not ended."""
        row = self._connection.execute(
            select(func.count().label("total"), func.count().filter(_OPEN).label("still_open")).where(
                tasks.c.parent_id == parent_id
            )
        ).one()
        return row.total, row.still_open

    def count_open_children(self, parent_id: UUID) -> int:
        counted = select(func.count()).select_from(tasks).where(tasks.c.parent_id == parent_id, _OPEN)
        return self._connection.execute(counted).scalar_one()
