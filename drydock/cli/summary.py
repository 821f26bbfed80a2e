"""Text and tables about a task's nodes, for the live display, the lines and the final summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from drydock.cli.causes import Cause, causes
from drydock.cli.output import clean, duration, message_line
from drydock.cli.tables import Column, Table, styled
from drydock.client import NodeProgress, TaskSnapshot
from drydock.counting import counted

#: With more nodes than this only those that failed or need attention are listed.
MANY = 100
#: Maximum number of node names listed per cause.
LISTED = 50
#: Number of the task's own messages in the summary.
LAST_MESSAGES = 50
ORDER = ("success", "partial_success", "failure", "terminated", "running", "terminating", "queued", "requested")

#: Seconds after which a hint about workers is shown for a task that no worker has begun.
LONG_IN_THE_QUEUE = 5.0


def waiting_for(snapshot: TaskSnapshot, *, seconds: float) -> str:
    """What a task without nodes waits for, after ``seconds`` of watching."""
    task = snapshot.task
    if task.get("status") != "queued":
        return str(task.get("reason") or task.get("step") or "")
    return "waiting for a worker" + (": is a drydock-worker running?" if seconds >= LONG_IN_THE_QUEUE else "")


def state(node: NodeProgress) -> str:
    """The outcome of an ended task, else its status."""
    return node.outcome if node.finished else node.status


def counts(nodes: Iterable[NodeProgress]) -> str:
    """``3 success, 1 failure, 8 running``."""
    counted = Counter(map(state, nodes))
    known = [name for name in ORDER if counted[name]]
    return ", ".join(f"{counted[name]} {name}" for name in known + sorted(set(counted) - set(ORDER)))


def summary(snapshot: TaskSnapshot) -> RenderableType:
    """The result of a finished task: a headline, its error messages, its nodes, and the causes of failures."""
    task = snapshot.task
    result = task.get("result") or {}
    head = Text.assemble(
        f"Task {clean(task.get('task_id'))} {clean(task.get('action'))}: ",
        styled(snapshot.outcome),
        f" {time_taken(task)}",
    )
    parts: list[RenderableType] = [head]
    if snapshot.nodes:
        shown = [node for node in snapshot.nodes if node.failed or len(snapshot.nodes) <= MANY]
        head.append(f"; nodes: {counts(snapshot.nodes)}")
        parts += [Text(), node_table(shown)] if shown else []
        parts += why_nodes_failed(snapshot.nodes)
    elif result.get("message"):
        head.append(f": {clean(result['message'])}")
    messages = (result.get("details") or {}).get("messageList") or []
    repeated = [entry for entry in messages if is_shown_at_end(entry, failed=snapshot.outcome != "success")]
    parts += [Text(f"  {message_line(entry)}") for entry in repeated[:LAST_MESSAGES]]
    return Group(*parts)


def is_shown_at_end(entry: Mapping[str, Any], *, failed: bool) -> bool:
    """True for warnings and, if the task failed, errors. Messages about a node are shown with the nodes."""
    if entry.get("context_type") == "node":
        return False
    return (bool(entry.get("error")) and failed) or (entry.get("extra") or {}).get("level") == "Warning"


def node_table(nodes: list[NodeProgress]) -> RenderableType:
    """The result of each node, and the step at which it failed."""
    columns = [Column("node"), Column("result"), Column("at step")]
    if not any(node.failed for node in nodes):
        return Table(columns[:2], ([node.name, state(node)] for node in sorted_by_name(nodes)))
    return Table(
        columns, ([node.name, state(node), node.step if node.failed else ""] for node in sorted_by_name(nodes))
    )


def why_nodes_failed(nodes: Iterable[NodeProgress]) -> list[RenderableType]:
    """Each cause once, with the nodes that have it."""
    return _lines("failed", causes(node for node in nodes if node.failed))


def how_nodes_succeeded(nodes: Iterable[NodeProgress]) -> list[RenderableType]:
    return _lines("succeeded", causes(node for node in nodes if node.finished and not node.failed))


def _lines(verb: str, found: list[Cause]) -> list[RenderableType]:
    return [Text(), *(Text(clean(cause_line(verb, cause))) for cause in found)] if found else []


def cause_line(verb: str, cause: Cause) -> str:
    count = len(cause.nodes)
    at = f" at {cause.step}" if cause.step else ""
    head = cause.nodes[0] if count == 1 else counted(count, "node")
    more = f" and {count - LISTED} more" if count > LISTED else ""
    names = "" if count == 1 else f" ({', '.join(cause.nodes[:LISTED])}{more})"
    return f"{head} {verb}{at}{names}: {cause.text}"


def time_taken(task: Mapping[str, Any]) -> str:
    """``after 3m20s``: from its creation to its end."""
    if not task.get("created") or not task.get("updated"):
        return ""
    taken = datetime.fromisoformat(task["updated"]) - datetime.fromisoformat(task["created"])
    return f"after {duration(taken.total_seconds())}"


def sorted_by_name(nodes: Iterable[NodeProgress]) -> list[NodeProgress]:
    return sorted(nodes, key=lambda node: node.name)
