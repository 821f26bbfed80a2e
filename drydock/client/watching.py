"""Following a task until it ends: snapshots of it and of its nodes, across restarts of the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from drydock.client.errors import ConnectionFailed, ServerError, WatchTimedOut

if TYPE_CHECKING:
    from drydock.client.client import DrydockClient

CLOSED = frozenset({"complete", "terminated"})
#: Seconds the server may hold an answer; short, as a change between two requests is seen only by the next.
LONG_POLL = 5


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """State of one subtask. ``name`` is its node, or its action if it has no node.

    ``attempt``: failures in a row at its present step.
    """

    name: str
    task_id: str
    action: str
    status: str
    outcome: str
    step: str = ""
    since: datetime | None = None
    attempt: int = 0
    reason: str = ""

    @property
    def finished(self) -> bool:
        return self.status in CLOSED

    @property
    def failed(self) -> bool:
        return self.finished and self.outcome not in {"success", "partial_success"}


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """A task as last fetched. ``outage``: why it is out of date; empty while the server answers."""

    task: Mapping[str, Any]
    nodes: tuple[NodeProgress, ...] = ()
    outage: str = ""

    @property
    def finished(self) -> bool:
        return self.task.get("status") in CLOSED

    @property
    def outcome(self) -> str:
        return outcome(self.task)


def outcome(task: Mapping[str, Any]) -> str:
    """``success``, ``partial_success``, ``failure``, ``terminated``, or ``incomplete`` while it runs."""
    if task.get("status") == "terminated":
        return "terminated"
    return str((task.get("result") or {}).get("status") or "incomplete")


def explanation(task: Mapping[str, Any]) -> str:
    """What a task waits for or, once it has ended, the reason of its result."""
    result = task.get("result") or {}
    if task.get("status") not in CLOSED:
        return str(task.get("reason") or "")
    errors = [entry for entry in (result.get("details") or {}).get("messageList") or () if entry.get("error")]
    last_message = errors[-1].get("message") if errors else ""
    reason = str(result.get("reason") or last_message or result.get("message") or "")
    last_error = str(task.get("last_error") or "")
    failed = outcome(task) not in {"success", "partial_success"}
    return f"{reason}; last error: {last_error}" if failed and last_error and last_error not in reason else reason


def node_progress(task: Mapping[str, Any]) -> NodeProgress:
    """The state of a subtask from the API's JSON."""
    since = task.get("step_since")
    return NodeProgress(
        name=str(task.get("node") or task.get("action") or task["task_id"]),
        task_id=str(task["task_id"]),
        action=str(task.get("action") or ""),
        status=str(task.get("status") or ""),
        outcome=outcome(task),
        step=str(task.get("step") or ""),
        since=datetime.fromisoformat(since) if since else None,
        attempt=int(task.get("attempt") or 0),
        reason=explanation(task),
    )


def follow(
    client: DrydockClient,
    task_id: str,
    *,
    timeout: float | None = None,
    patience: float = 300.0,
    interval: float = 1.0,
    rest: float = 10.0,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[TaskSnapshot]:
    """Snapshots of a task, the last one when it has ended; at most one per ``interval`` seconds.

    After fetching the nodes it pauses that for ``rest`` times as long as it took, so that watching a large site
    stays cheap; the last snapshot's nodes are fresh.
    An outage (no answer, or 5xx) is tolerated for up to ``patience`` seconds, once the server has answered at
    all. Raises WatchTimedOut after ``timeout`` seconds (the task continues), and ClientError.
    """
    started = last_answer = time.monotonic()
    snapshot = TaskSnapshot(client.get_task(task_id))
    next_listing = 0.0
    while True:
        asked = time.monotonic()
        try:
            if snapshot.finished or asked >= next_listing:
                nodes = tuple(map(node_progress, client.tasks(parent=task_id)))
                next_listing = time.monotonic() + rest * (time.monotonic() - asked)
                snapshot = replace(snapshot, nodes=nodes, outage="")
                last_answer = time.monotonic()
            yield snapshot
            if snapshot.finished:
                return
            _expect(started, timeout, task_id)
            pause(max(0.0, interval - (time.monotonic() - asked)))
            snapshot = replace(snapshot, task=client.get_task(task_id, wait=LONG_POLL), outage="")
            last_answer = time.monotonic()
        except (ConnectionFailed, ServerError) as exc:
            if time.monotonic() - last_answer > patience:
                raise
            snapshot = replace(snapshot, outage=str(exc))
            yield snapshot
            _expect(started, timeout, task_id)
            pause(interval)


def _expect(started: float, timeout: float | None, task_id: str) -> None:
    if timeout is not None and time.monotonic() - started >= timeout:
        raise WatchTimedOut(f"task {task_id} did not end within {timeout:g} seconds; it continues")
