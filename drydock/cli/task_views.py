"""Shows tasks on a terminal: a list, or one with its messages and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from drydock.cli.consoles import is_narrow
from drydock.cli.output import console, message_line, moment
from drydock.cli.summary import how_nodes_succeeded, state, why_nodes_failed
from drydock.cli.tables import Column, Table, print_fields
from drydock.client.watching import CLOSED, explanation, node_progress, outcome

LIST_COLUMNS = (
    Column("task_id"),
    Column("action"),
    Column("node", rank=1),
    Column("status"),
    Column("outcome", rank=1),
    Column("nodes", rank=3),
    Column("created", rank=2),
    Column("created_by", rank=4),
)
NODE_COLUMNS = (
    Column("node"),
    Column("state"),
    Column("step"),
    Column("retries", rank=1),
    Column("why", folds=True, rank=2),
)
SHOW_FIELDS = (
    "task_id",
    "action",
    "node",
    "status",
    "outcome",
    "step",
    "retries",
    "why",
    "nodes",
    "design_ref",
    "design_digest",
    "parent_task_id",
    "retry_of",
    "force",
    "expect_nodes",
    "plan",
    "rollout",
    "wave",
    "paused",
    "created",
    "created_by",
    "updated",
    "deadline_at",
    "terminated",
    "terminated_by",
    "confirmations",
)
TIMES = ("created", "updated", "deadline_at", "terminated")
#: Digits of an id that are shown on a terminal.
SHORT = 8

Json = Mapping[str, Any]


def print_list(tasks: Sequence[Json], *, wide: bool) -> None:
    screen = console(wide=wide)
    short = is_narrow(screen)
    rows = [[shown(entry, column.name, short=short) for column in LIST_COLUMNS] for entry in tasks]
    screen.print(Table(LIST_COLUMNS, rows), crop=False)


def print_task(entry: Json, subtasks: Sequence[Json], *, wide: bool) -> None:
    screen = console(wide=wide)
    nodes = sorted(map(node_progress, subtasks), key=lambda node: node.name)
    print_fields(screen, [(name, shown(entry, name)) for name in SHOW_FIELDS])
    messages = ((entry.get("result") or {}).get("details") or {}).get("messageList") or []
    # Messages about a node are shown with the nodes.
    own = [message for message in messages if not (nodes and message.get("context_type") == "node")]
    if own:
        screen.print()
    for message in own:
        about = _about(message, str(entry["task_id"]))
        text = f"{about}: {message_line(message)}" if about else message_line(message)
        screen.print(Text(f"{moment(message.get('ts'))}  {text}"), soft_wrap=True)
    if nodes:
        rows = ([n.name, state(n), n.step, n.attempt or "", "" if n.finished else n.reason] for n in nodes)
        screen.print()
        screen.print(Table(NODE_COLUMNS, rows), crop=False)
    for line in (*how_nodes_succeeded(nodes), *why_nodes_failed(nodes)):
        screen.print(line, soft_wrap=True)


def shown(entry: Json, field: str, *, short: bool = False) -> Any:
    """A field of a task, or one derived from others. ``short``: for a list on a terminal."""
    if field == "outcome":
        return outcome(entry) if entry.get("status") in CLOSED else ""
    if field == "retries":
        return entry.get("attempt") or ""
    if field == "why":
        return explanation(entry)
    if field == "nodes":
        counts = (entry.get("progress") or {}).get("by_status") or {}
        return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()) if count)
    if field == "confirmations":
        return "; ".join(_confirmation(each) for each in entry.get(field) or ())
    if field == "rollout":
        return rollout_text(entry.get("rollout"))
    if field == "wave":
        progress = entry.get("progress") or {}
        return f"{progress['wave']} of {progress.get('waves')}" if progress.get("wave") else ""
    if field == "paused":
        return f"{moment(entry['paused'])} by {entry.get('paused_by')}" if entry.get("paused") else ""
    value = entry.get(field)
    if field == "force":
        return "yes" if value else ""
    if field == "task_id" and short:
        return str(value)[:SHORT]
    return moment(value) if field in TIMES else value


def _confirmation(given: Json) -> str:
    if not given.get("confirmed"):
        return f"{given.get('step')}: asked for at {moment(given.get('asked'))}"
    note = f" ({given['note']})" if given.get("note") else ""
    return f"{given.get('step')}: by {given.get('confirmed_by')} at {moment(given['confirmed'])}{note}"


def rollout_text(rollout: Json | None) -> str:
    """``waves 1, 10%, 100%; at most 2 failed; pause after_first``."""
    if not rollout:
        return ""
    waves = ", ".join(str(wave) for wave in rollout.get("waves") or ())
    limit = (
        "no limit of failures" if rollout.get("max_failed") is None else f"budget of {rollout['max_failed']} failures"
    )
    return f"waves {waves}; {limit}; pause {rollout.get('pause')}"


def _about(message: Json, task_id: str) -> str:
    """The subject of a task's message, if it is not the task itself."""
    context = str(message.get("context") or "")
    return "" if context == task_id else f"{message.get('context_type') or ''} {context}".strip()
