"""Tasks as the API and the planner read them. ``task_queue`` adds tasks, ``task_signals`` wakes and terminates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Text, cast, func, select

from drydock.db.boot_contacts import BootContactRepository
from drydock.db.build_data import BuildDataRepository
from drydock.db.confirmations import ConfirmationRepository
from drydock.db.messages import MessageRepository
from drydock.db.predicates import is_open, is_unrevoked
from drydock.db.rows import task_from_row
from drydock.db.subtasks import read_summaries
from drydock.db.tables import NEXT_TRANSACTION, boot_contexts, tasks
from drydock.db.task_lists import listed
from drydock.errors import TaskNotFound
from drydock.model.boot_context import Deployment
from drydock.model.rollup import NodeOutcome
from drydock.model.subtask import SubtaskCounts
from drydock.model.task import ResultStatus, Task, TaskPage, TaskQuery, TaskStatus, TaskVersion

#: Rows read at once when a list has no limit of its own.
PAGE = 500


class TaskRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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

    def outcomes(self, parent_id: UUID) -> Sequence[NodeOutcome]:
        """The outcome of every subtask, in the order of the nodes' names."""
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
            NodeOutcome(
                row.node, ResultStatus.stored(row.result_status), row.step or "", row.result_reason, row.last_error
            )
            for row in rows
        ]

    def of_deployments(self, context_ids: Sequence[UUID]) -> Mapping[UUID, Deployment]:
        """By boot context, those of which there is a row."""
        rows = self._connection.execute(
            select(tasks, boot_contexts.c.id.label("context_id"), (~is_unrevoked(boot_contexts)).label("revoked"))
            .join(boot_contexts, boot_contexts.c.task_id == tasks.c.id)
            .where(boot_contexts.c.id.in_(context_ids))
        )
        return {row.context_id: Deployment(task_from_row(row), row.revoked) for row in rows}

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
        messages = MessageRepository(self._connection).of_tasks(ids)
        # Only work on a node leaves build data.
        of_nodes = [task.id for task in found if task.node is not None]
        contacts = BootContactRepository(self._connection).of_tasks(of_nodes)
        summaries = read_summaries(self._connection, [task.id for task in found if task.parent_id is None])
        documented = BuildDataRepository(self._connection).tasks_with_any(of_nodes)
        confirmations = ConfirmationRepository(self._connection).of_tasks(of_nodes)
        return [
            replace(
                task,
                result=replace(task.result, messages=messages.get(task.id, ())),
                subtask_ids=summaries[task.id].ids if task.id in summaries else (),
                machine=contacts.get(task.id),
                progress=summaries[task.id].progress if task.id in summaries else None,
                has_build_data=task.id in documented,
                confirmations=confirmations.get(task.id, ()),
            )
            for task in found
        ]

    def version(self, task_id: UUID) -> TaskVersion:
        """Raises ``TaskNotFound``.

        The time alone is not enough: after a restore, or with a new server, it may be behind the times in rows.
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
        return TaskVersion(TaskStatus.stored(row.status), tuple(row))

    def count_children(self, parent_id: UUID) -> SubtaskCounts:
        row = self._connection.execute(
            select(func.count().label("total"), func.count().filter(is_open(tasks)).label("still_open")).where(
                tasks.c.parent_id == parent_id
            )
        ).one()
        return SubtaskCounts(row.total, row.still_open)
