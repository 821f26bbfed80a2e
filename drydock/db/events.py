"""The events of a task tree, in an order that a reader may stop and go on at.

Transactions commit in another order than they began, so that "everything after the last I saw" would miss what is
committed late. Therefore only rows are told that were written by transactions older than every one that still runs:
their number is below the snapshot's ``xmin``, and nothing can be added below it any more. The cost: a transaction
that writes for long, wherever in the server, holds the stream back as long.

After a restore into another server rows have numbers that this one has not given out yet: at or above the snapshot's
``xmax``, where no row that is seen can have been written by it. They count as number 0, older than all others; so does
the position of a reader who has seen them.

A task's row tells of its last change only. Who reads seldom sees fewer steps, never a wrong or an old one; messages
are all told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, cast, func, or_, select, tuple_

from drydock.db.messages import message_from_row
from drydock.db.rows import task_from_row
from drydock.db.tables import task_messages, tasks
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

#: The transactions below this have all ended.
_SETTLED = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
#: No transaction that is seen has this number or a larger one, unless another server gave it out.
_NEXT = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)
_LAST = 2**63 - 1


class EventRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, task_id: UUID, after: Position, *, at_most: int) -> EventPage:
        """What comes after a position, of the task and all below it. Raises ``TaskNotFound``.

        The border is asked first: what is written after that lies beyond it, and is found next time.
        """
        row = self._connection.execute(
            select(
                tasks.c.root_id,
                tasks.c.status,
                tasks.c.result_status,
                tasks.c.changed_in,
                _SETTLED.label("settled"),
                _NEXT.label("next"),
            ).where(tasks.c.id == task_id)
        ).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        below = None if row.root_id == task_id else task_id
        border = _Border(row.settled, row.next)
        if after.transaction >= border.next:
            after = Position()
        events = self._tasks(row.root_id, below, after, border, at_most)
        messages = self._messages(row.root_id, below, after, border, at_most)
        page, more = _merged(events, messages, at_most)
        status = TaskStatus.stored(row.status)
        closed = not status.open and border.number(row.changed_in) < border.settled
        return EventPage(
            status=status,
            result_status=ResultStatus.stored(row.result_status),
            events=tuple(page),
            more=more,
            behind=not more and self._is_behind(row.root_id, border),
            ended=closed and not more,
        )

    def _tasks(self, root: UUID, only: UUID | None, after: Position, border: _Border, at_most: int) -> list[Event]:
        number = after.number if after.kind == TASK_KIND else _LAST
        found: list[Event] = []
        for which in border.parts(tasks.c.changed_in, tasks.c.seq, after, number):
            rows = self._connection.execute(
                select(tasks)
                .where(tasks.c.root_id == root, which, *_only(tasks.c.id, only))
                .order_by(tasks.c.changed_in, tasks.c.seq)
                .limit(at_most)
            )
            found += [
                TaskChanged(Position(border.number(row.changed_in), TASK_KIND, row.seq), task_from_row(row))
                for row in rows
            ]
        return sorted(found, key=lambda event: event.position)[:at_most]

    def _messages(self, root: UUID, only: UUID | None, after: Position, border: _Border, at_most: int) -> list[Event]:
        number = after.number if after.kind == MESSAGE_KIND else 0
        lines = task_messages.c
        found: list[Event] = []
        for which in border.parts(lines.written_in, lines.id, after, number):
            rows = self._connection.execute(
                select(task_messages, tasks.c.node)
                .join(tasks, tasks.c.id == lines.task_id)
                .where(lines.root_id == root, which, *_only(lines.task_id, only))
                .order_by(lines.written_in, lines.id)
                .limit(at_most)
            )
            found += [
                MessageWritten(
                    Position(border.number(row.written_in), MESSAGE_KIND, row.id),
                    row.task_id,
                    row.node,
                    message_from_row(row),
                )
                for row in rows
            ]
        return sorted(found, key=lambda event: event.position)[:at_most]

    def _is_behind(self, root: UUID, border: _Border) -> bool:
        """Whether something of the tree was written in a transaction that is not older than all that run."""

        def newest(number: ColumnElement[int], of_root: ColumnElement[UUID]) -> ColumnElement[bool]:
            ours = select(func.max(number)).where(of_root == root, number < border.next)
            return ours.scalar_subquery() >= border.settled

        behind = or_(
            newest(tasks.c.changed_in, tasks.c.root_id), newest(task_messages.c.written_in, task_messages.c.root_id)
        )
        return bool(self._connection.scalar(select(behind)))


class _Border(NamedTuple):
    """``settled``: below it all transactions have ended. ``next``: below it this server gave out all numbers."""

    settled: int
    next: int

    def number(self, stored: int) -> int:
        return 0 if stored >= self.next else stored

    def parts(
        self, stored: ColumnElement[int], order: ColumnElement[int], after: Position, number: int
    ) -> Sequence[ColumnElement[bool]]:
        """What comes after a position: of this server, and of one before it. Each is a range of the index."""
        here = (tuple_(stored, order) > (after.transaction, number)) & (stored < self.settled)
        return [here] if after.transaction > 0 else [here, (stored >= self.next) & (order > number)]


def _only(column: ColumnElement[UUID], only: UUID | None) -> list[ColumnElement[bool]]:
    return [] if only is None else [column == only]


def _merged(first: list[Event], second: list[Event], at_most: int) -> tuple[list[Event], bool]:
    """Both lists as one, as far as both are known to be complete; and whether more can be read."""
    full = [found[-1].position for found in (first, second) if len(found) == at_most]
    merged = sorted((*first, *second), key=lambda event: event.position)
    if not full:
        return merged, False
    return [event for event in merged if event.position <= min(full)], True
