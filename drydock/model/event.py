"""Events of a task tree: changes of its tasks, and their messages."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from drydock.model.message import TaskMessage
from drydock.model.task import ResultStatus, Task, TaskStatus


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in the stream. Order: transaction; within one, tasks before messages; then creation."""

    transaction: int = 0
    kind: int = 0
    number: int = 0


#: Kinds of events in a position.
TASK_KIND = 0
MESSAGE_KIND = 1


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """The present state of a task. Its messages record what happened since the event before."""

    position: Position
    task: Task


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """A message of a task in the tree; ``node`` is that task's."""

    position: Position
    task_id: UUID
    node: str | None
    message: TaskMessage


Event = TaskChanged | MessageWritten


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, in order.

    ``more``: further events can be read at once. ``behind``: newer events exist that can be read only once older
    transactions have ended. ``ended``: the task has ended and these are its last events. ``status`` and
    ``result_status`` are the task's own.
    """

    status: TaskStatus
    result_status: ResultStatus

    events: tuple[Event, ...] = ()
    more: bool = False
    behind: bool = False
    ended: bool = False
