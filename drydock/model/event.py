"""What a stream of events tells about a task tree: how its tasks are, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from drydock.model.message import TaskMessage
from drydock.model.task import ResultStatus, Task, TaskStatus


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where in the stream. Events are ordered by transaction, in one tasks before messages, then as they were made."""

    transaction: int = 0
    kind: int = 0
    number: int = 0


#: Kinds of events, as positions have them.
TASK_KIND = 0
MESSAGE_KIND = 1


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task as it is now; what it went through since the event before is told by its messages."""

    position: Position
    task: Task


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """A line that a task of the tree told; ``node`` is that task's."""

    position: Position
    task_id: UUID
    node: str | None
    message: TaskMessage


Event = TaskChanged | MessageWritten


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, in order.

    ``more``: others can be read at once. ``behind``: something has changed that is told in a moment, when older
    transactions have ended. ``ended``: the task has ended, and with these events all is told. ``status`` and
    ``result_status`` are the task's own.
    """

    status: TaskStatus
    result_status: ResultStatus

    events: tuple[Event, ...] = ()
    more: bool = False
    behind: bool = False
    ended: bool = False
