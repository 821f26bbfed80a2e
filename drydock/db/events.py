"""The events of a task tree, in an order in which a reader can stop and continue.

Transactions commit in another order than they began, so that "everything after the last event" would miss what is
committed late. Therefore only rows are shown that were written by transactions older than every running one: their
number is below the snapshot's ``xmin``, and no more rows can get such a number. The cost: a long transaction, anywhere
in the server, delays the stream.

A server that was restored from a dump counts transactions from the beginning, below the numbers in its rows. Those of
a tree are renewed when its events are first read, and shown again to readers that had them before.

A task's row has its last change only. A slow reader sees fewer steps, never a wrong or an old one; it sees all
messages.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Text, cast, func, select, tuple_, update

from drydock.db.locking import LOCK_ORDER
from drydock.db.messages import message_from_row
from drydock.db.rows import task_from_row
from drydock.db.tables import NEXT_TRANSACTION, TRANSACTION, task_messages, tasks
from drydock.errors import TaskNotFound
from drydock.model.event import (
    MESSAGE_KIND,
    TASK_KIND,
    Event,
    EventPage,
    MessageWritten,
    Position,
    TaskChanged,
)
from drydock.model.task import ResultStatus, TaskStatus

#: All transactions below this have ended.
_SETTLED = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
_LAST = 2**63 - 1


class EventRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, task_id: UUID, after: Position, *, at_most: int) -> EventPage:
        """Events after a position, of the task and its subtasks; to be committed. Raises ``TaskNotFound``.

        The border is read first: rows written after that lie beyond it, and are found next time.
        """
        row = self._border(task_id)
        if row.newest >= row.beyond:
            self._renew(row.root_id, row.beyond)
            row = self._border(task_id)
        if after.transaction >= row.beyond:
            # The position is of another server: it has no meaning here.
            after = Position()
        below = None if row.root_id == task_id else task_id
        events = self._tasks(row.root_id, below, after, row.settled, at_most)
        messages = self._messages(row.root_id, below, after, row.settled, at_most)
        page, more = _merged(events, messages, at_most)
        status = TaskStatus.stored(row.status)
        closed = not status.open and row.changed_in < row.settled
        return EventPage(
            status=status,
            result_status=ResultStatus.stored(row.result_status),
            events=tuple(page),
            more=more,
            behind=not more and row.newest >= row.settled,
            ended=closed and not more,
        )

    def _tasks(self, root: UUID, only: UUID | None, after: Position, before: int, at_most: int) -> list[Event]:
        number = after.number if after.kind == TASK_KIND else _LAST
        place = tuple_(tasks.c.changed_in, tasks.c.seq)
        rows = self._connection.execute(
            select(tasks)
            .where(tasks.c.root_id == root, place > (after.transaction, number), tasks.c.changed_in < before)
            .where(*_only(tasks.c.id, only))
            .order_by(tasks.c.changed_in, tasks.c.seq)
            .limit(at_most)
        )
        return [TaskChanged(Position(row.changed_in, TASK_KIND, row.seq), task_from_row(row)) for row in rows]

    def _messages(self, root: UUID, only: UUID | None, after: Position, before: int, at_most: int) -> list[Event]:
        number = after.number if after.kind == MESSAGE_KIND else 0
        lines = task_messages.c
        rows = self._connection.execute(
            select(task_messages, tasks.c.node)
            .join(tasks, tasks.c.id == lines.task_id)
            .where(lines.root_id == root, tuple_(lines.written_in, lines.id) > (after.transaction, number))
            .where(lines.written_in < before, *_only(lines.task_id, only))
            .order_by(lines.written_in, lines.id)
            .limit(at_most)
        )
        return [_message_written(row) for row in rows]

    def _border(self, task_id: UUID) -> Row[Any]:
        """The task, with the ``newest`` number of its tree, and the borders ``settled`` and ``beyond``."""
        root = select(tasks.c.root_id).where(tasks.c.id == task_id).scalar_subquery()
        newest_task = select(func.max(tasks.c.changed_in)).where(tasks.c.root_id == root)
        newest_line = select(func.max(task_messages.c.written_in)).where(task_messages.c.root_id == root)
        newest = func.greatest(newest_task.scalar_subquery(), newest_line.scalar_subquery())
        row = self._connection.execute(
            select(
                tasks.c.root_id,
                tasks.c.status,
                tasks.c.result_status,
                tasks.c.changed_in,
                newest.label("newest"),
                _SETTLED.label("settled"),
                NEXT_TRANSACTION.label("beyond"),
            ).where(tasks.c.id == task_id)
        ).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        return row

    def _renew(self, root: UUID, beyond: int) -> None:
        """Replace numbers that no transaction of this server can have had by that of this transaction."""
        of_tree = select(tasks.c.id).where(tasks.c.root_id == root, tasks.c.changed_in >= beyond)
        locked = of_tree.order_by(*LOCK_ORDER).with_for_update(key_share=True).cte("locked")
        self._connection.execute(update(tasks).where(tasks.c.id == locked.c.id).values(changed_in=TRANSACTION))
        lines = task_messages.c
        self._connection.execute(
            update(task_messages)
            .where(lines.root_id == root, lines.written_in >= beyond)
            .values(written_in=TRANSACTION)
        )


def _only(column: ColumnElement[UUID], only: UUID | None) -> list[ColumnElement[bool]]:
    return [] if only is None else [column == only]


def _message_written(row: Row[Any]) -> Event:
    position = Position(row.written_in, MESSAGE_KIND, row.id)
    return MessageWritten(position, row.task_id, row.node, message_from_row(row))


def _merged(first: list[Event], second: list[Event], at_most: int) -> tuple[list[Event], bool]:
    """Both lists as one, as far as both are complete; and whether there are more events."""
    full = [found[-1].position for found in (first, second) if len(found) == at_most]
    merged = sorted((*first, *second), key=lambda event: event.position)
    if not full:
        return merged, False
    return [event for event in merged if event.position <= min(full)], True
