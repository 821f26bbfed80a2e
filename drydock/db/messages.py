"""What tasks tell their operators, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select

from drydock.db.rows import storable
from drydock.db.tables import task_messages, tasks
from drydock.model.message import TaskMessage

_INSERT = insert(task_messages).values(
    root_id=select(tasks.c.root_id).where(tasks.c.id == bindparam("of_task")).scalar_subquery()
)


class MessageRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        task_id: UUID,
        message: str,
        *,
        error: bool = False,
        context_type: str = "task",
        context: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.add_many(
            task_id, [(message, error, extra or {})], context_type=context_type, context=context or str(task_id)
        )

    def add_many(
        self,
        task_id: UUID,
        lines: Sequence[tuple[str, bool, Mapping[str, Any]]],
        *,
        context_type: str,
        context: str,
    ) -> None:
        """Several (message, error, extra) lines in one statement; nothing for none."""
        if lines:
            self._connection.execute(
                _INSERT,
                [
                    {
                        "task_id": task_id,
                        "of_task": task_id,
                        "message": storable(message),
                        "error": error,
                        "context_type": context_type,
                        "context": context,
                        "extra": dict(extra),
                    }
                    for message, error, extra in lines
                ],
            )

    def add_to_each(self, task_ids: Sequence[UUID], message: str) -> None:
        """The same line to each of many tasks."""
        if task_ids:
            self._connection.execute(
                _INSERT,
                [
                    {
                        "task_id": task_id,
                        "of_task": task_id,
                        "message": message,
                        "error": False,
                        "context_type": "task",
                        "context": str(task_id),
                        "extra": {},
                    }
                    for task_id in task_ids
                ],
            )

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, tuple[TaskMessage, ...]]:
        """The messages of each task that has any, oldest first."""
        if not task_ids:
            return {}
        found: dict[UUID, list[TaskMessage]] = {}
        rows = self._connection.execute(
            select(task_messages).where(task_messages.c.task_id.in_(task_ids)).order_by(task_messages.c.id)
        )
        for row in rows:
            found.setdefault(row.task_id, []).append(message_from_row(row))
        return {task_id: tuple(messages) for task_id, messages in found.items()}


def message_from_row(row: Row[Any]) -> TaskMessage:
    return TaskMessage(
        message=row.message,
        error=row.error,
        ts=row.ts,
        context_type=row.context_type,
        context=row.context,
        extra=row.extra,
    )
