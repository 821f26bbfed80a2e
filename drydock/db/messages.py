"""Messages of tasks, for operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, Integer, Row, Text, Uuid, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from drydock.db.recordset import recordset
from drydock.db.rows import storable
from drydock.db.tables import task_messages, tasks
from drydock.model.message import NewMessage, TaskMessage

_lines = recordset(
    "lines", place=Integer, task_id=Uuid, error=Boolean, message=Text, context_type=Text, context=Text, extra=JSONB
)
#: Characters of a message that are repeated in another.
_WORDS = 300
_COLUMNS = ("task_id", "error", "message", "context_type", "context", "extra")
ADD_MESSAGES = insert(task_messages).from_select(
    [*_COLUMNS, "root_id"],
    select(*(_lines.c[name] for name in _COLUMNS), tasks.c.root_id)
    .join(tasks, tasks.c.id == _lines.c.task_id)
    .order_by(_lines.c.place),
)


class MessageRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Sequence[NewMessage]) -> None:
        """Several messages, in their order, in one statement."""
        if new:
            self._connection.execute(
                ADD_MESSAGES,
                {
                    "lines": [
                        {
                            "place": place,
                            "task_id": str(line.task_id),
                            "error": line.error,
                            "message": storable(line.message),
                            "context_type": line.context_type,
                            "context": storable(line.context) or str(line.task_id),
                            "extra": dict(line.extra),
                        }
                        for place, line in enumerate(new)
                    ]
                },
            )

    def last_words(self, task_ids: Sequence[UUID], contexts: Sequence[str]) -> Mapping[str, str]:
        """By context: the beginning of its newest message, of errors if there are any."""
        words = func.left(task_messages.c.message, _WORDS)
        newest_first = aggregate_order_by(words, task_messages.c.error.desc(), task_messages.c.id.desc())
        rows = self._connection.execute(
            select(task_messages.c.context, func.array_agg(newest_first, type_=ARRAY(Text))[1].label("words"))
            .where(task_messages.c.task_id.in_(task_ids), task_messages.c.context.in_(contexts))
            .group_by(task_messages.c.context)
        )
        return {row.context: row.words for row in rows}

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
