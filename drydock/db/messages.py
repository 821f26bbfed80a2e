"""What tasks tell their operators, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, Integer, Row, Text, Uuid, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from drydock.db.recordset import recordset
from drydock.db.rows import storable
from drydock.db.tables import task_messages, tasks
from drydock.model.message import TaskMessage

_lines = recordset(
    "lines", place=Integer, task_id=Uuid, error=Boolean, message=Text, context_type=Text, context=Text, extra=JSONB
)
#: Characters of a message that is repeated in another.
_WORDS = 300
_TOLD = ("task_id", "error", "message", "context_type", "context", "extra")
_ADD = insert(task_messages).from_select(
    [*_TOLD, "root_id"],
    select(*(_lines.c[name] for name in _TOLD), tasks.c.root_id)
    .join(tasks, tasks.c.id == _lines.c.task_id)
    .order_by(_lines.c.place),
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something to tell of a task. Without ``context`` it is about the task itself."""

    task_id: UUID
    message: str
    error: bool = False
    context_type: str = "task"
    context: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


class MessageRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, lines: Sequence[Line]) -> None:
        """Several lines, in their order, in one statement; nothing for none."""
        if lines:
            self._connection.execute(
                _ADD,
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
                        for place, line in enumerate(lines)
                    ]
                },
            )

    def last_words(self, task_ids: Sequence[UUID], contexts: Sequence[str]) -> Mapping[str, str]:
        """By context: the beginning of what was told last about it, of errors if there are any."""
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
