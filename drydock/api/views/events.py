"""Events in the format of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from drydock.api.views.tasks import message_view
from drydock.api.views.times import optional_timestamp, timestamp
from drydock.errors import InvalidInput
from drydock.model.event import Event, EventPage, Position, TaskChanged
from drydock.model.task import Task

Json = dict[str, Any]

#: Milliseconds after which a client that lost the connection comes again.
RETRY = b"retry: 2000\n\n"
KEEP_ALIVE = b": nothing new\n\n"

_POSITION = re.compile(r"(\d{1,19})-([01])-(\d{1,19})", re.ASCII)
_LARGEST = 2**63 - 1


def read_position(text: str | None) -> Position:
    """Of a Last-Event-ID; the beginning without one. Raises ``InvalidInput``."""
    if not text:
        return Position()
    match = _POSITION.fullmatch(text)
    numbers = tuple(map(int, match.groups())) if match else ()
    if not numbers or max(numbers) > _LARGEST:
        raise InvalidInput("is no id of an event", field="Last-Event-ID")
    return Position(*numbers)


def event_text(event: Event) -> bytes:
    if isinstance(event, TaskChanged):
        return _text("task", _task_view(event.task), event.position)
    view = {"task_id": str(event.task_id), "node": event.node, **message_view(event.message)}
    return _text("message", view, event.position)


def end_text(task_id: UUID, page: EventPage) -> bytes:
    """The final event; it has no id, so that a client that reconnects receives it again."""
    return _text("end", {"task_id": str(task_id), "status": page.status, "result_status": page.result_status}, None)


def _text(kind: str, view: Json, position: Position | None) -> bytes:
    lines = [f"event: {kind}", f"data: {json.dumps(view)}"]
    if position is not None:
        lines.insert(0, f"id: {position.transaction}-{position.kind}-{position.number}")
    return ("\n".join(lines) + "\n\n").encode()


def _task_view(task: Task) -> Json:
    """What changes of a task; the rest is at its own address."""
    return {
        "task_id": str(task.id),
        "parent_task_id": None if task.parent_id is None else str(task.parent_id),
        "action": task.action,
        "node": task.node,
        "status": task.status,
        "step": task.step,
        "step_since": optional_timestamp(task.step_since),
        "attempt": task.attempt,
        "reason": task.reason,
        "last_error": task.last_error,
        "terminate": task.terminate,
        "result": {
            "status": task.result.status,
            "message": task.result.message,
            "reason": task.result.reason,
        },
        "updated": timestamp(task.updated),
    }
