"""Everything that the checks look at, collected when a round is over and everything has come to rest."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import requests

from tests.chaos import audit
from tests.chaos.client_log import ClientLog
from tests.chaos.stack import ChaosStack

FIELD = re.compile(r"\b(task|step)=(\S+)")
#: Machines that wait before they report again have nothing under way, and nothing changes meanwhile.
REST_SECONDS = 0.8


class TaskRow(NamedTuple):
    id: UUID
    seq: int
    parent_id: UUID | None
    action: str
    node: str | None
    status: str
    result: str
    message: str
    reason: str
    successes: list[str]
    failures: list[str]
    terminate: bool
    key: str | None
    step: str | None
    waits_for: str
    wave: int | None
    budget: int | None
    plan: str | None
    force: bool


class ActionRow(NamedTuple):
    id: str
    context_id: UUID
    task_id: UUID
    node: str
    signaling: bool
    status: str | None


class StepEnd(NamedTuple):
    """A line that a worker wrote when a step was over."""

    at: datetime
    worker: str
    task: UUID
    step: str
    outcome: str


class Post(NamedTuple):
    """A report that a machine made. ``status`` None: it got no answer."""

    action: str
    final: str | None
    status: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    log: ClientLog
    tasks: Mapping[UUID, TaskRow]
    changes: Mapping[UUID, Sequence[audit.TaskChange]]
    holds: Mapping[str, Sequence[audit.Hold]]
    hold_errors: Sequence[str]
    finals: Mapping[str, Sequence[tuple[str | None, str]]]
    #: By node, when an operator's hold of it came (true) and went.
    shut: Mapping[str, Sequence[tuple[datetime, bool]]]
    #: By plan, what it says of each node.
    planned: Mapping[str, Mapping[str, str]]
    actions: Mapping[str, ActionRow]
    contexts: Mapping[UUID, UUID]
    stored: Sequence[tuple[str, str]]
    held: Sequence[str]
    machines: Mapping[str, Mapping[str, Any]]
    steps: Sequence[StepEnd]
    tracebacks: Sequence[str]

    def subtasks(self, parent: UUID) -> list[TaskRow]:
        return [task for task in self.tasks.values() if task.parent_id == parent]


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the round began in what grows from round to round."""

    seq: int
    changes: int
    holds: int
    finals: int
    shut: int
    offsets: Mapping[Path, int]


def marks(stack: ChaosStack) -> Marks:
    return Marks(
        seq=int(stack.query("SELECT coalesce(max(seq), 0) FROM tasks")[0][0]),
        changes=audit.last(stack, "chaos_tasks"),
        holds=audit.last(stack, "chaos_holds"),
        finals=audit.last(stack, "chaos_finals"),
        shut=audit.last(stack, "chaos_shut"),
        offsets={log: log.stat().st_size for log in stack.logs.glob("*.log")},
    )


def collect(stack: ChaosStack, since: Marks, log: ClientLog) -> Evidence:
    before = _machines(stack)
    while True:
        time.sleep(REST_SECONDS)
        evidence = _collect(stack, since, log, before)
        after = _machines(stack)
        if {name: m["history"] for name, m in after.items()} == {name: m["history"] for name, m in before.items()}:
            return evidence
        before = after


def _collect(stack: ChaosStack, since: Marks, log: ClientLog, machines: Mapping[str, Mapping[str, Any]]) -> Evidence:
    rows = stack.query(
        "SELECT id::text, seq, parent_id::text, action, node, status, result_status, result_message, result_reason,"
        " successes, failures, terminate, idempotency_key, step, reason, wave, failure_budget, plan, force"
        " FROM tasks WHERE seq > %s ORDER BY seq",
        since.seq,
    )
    tasks = {UUID(r[0]): TaskRow(UUID(r[0]), r[1], r[2] and UUID(r[2]), *r[3:]) for r in rows}
    holds, hold_errors = audit.holds(stack, since.holds)
    of_round = "task_id IN (SELECT id FROM tasks WHERE seq > %s)"
    actions = stack.query(
        f"SELECT id, context_id::text, task_id::text, node, signaling, status FROM boot_actions WHERE {of_round}",  # noqa: S608
        since.seq,
    )
    steps, tracebacks = _logs(stack, since.offsets)
    return Evidence(
        log=log,
        tasks=tasks,
        changes=audit.task_changes(stack, since.changes),
        holds=holds,
        hold_errors=hold_errors,
        finals=audit.finals(stack, since.finals),
        shut=audit.shut(stack, since.shut),
        planned=_planned(stack, {task.plan for task in tasks.values() if task.plan is not None}),
        actions={r[0]: ActionRow(r[0], UUID(r[1]), UUID(r[2]), *r[3:]) for r in actions},
        contexts={
            UUID(task): UUID(context)
            for context, task in stack.query(
                f"SELECT id::text, task_id::text FROM boot_contexts WHERE {of_round}",  # noqa: S608
                since.seq,
            )
        },
        stored=[
            (context, message)
            for context, message in stack.query(
                f"SELECT context, message FROM task_messages WHERE context_type = 'bootaction' AND {of_round}",  # noqa: S608
                since.seq,
            )
        ],
        held=[
            f"{what} of {task}"
            for what, task in stack.query(
                "SELECT node, task_id::text FROM node_holds UNION ALL"
                " SELECT 'a place', task_id::text FROM deployment_places"
            )
        ],
        machines=machines,
        steps=steps,
        tracebacks=tracebacks,
    )


def _planned(stack: ChaosStack, plans: Collection[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {plan: {} for plan in plans}
    rows = stack.query("SELECT plan_id, node, decision FROM plan_nodes WHERE plan_id = ANY(%s)", list(plans))
    for plan, node, decision in rows:
        found[plan][node] = decision
    return found


def _machines(stack: ChaosStack) -> dict[str, dict[str, Any]]:
    answer = requests.get(f"{stack.simulator_url}/machines", timeout=30)
    answer.raise_for_status()
    return {machine["name"]: machine for machine in answer.json()}


def posts(machine: Mapping[str, Any]) -> list[Post]:
    """What the machine reported, over all its deployments."""
    found = []
    for entry in machine["history"]:
        match = re.match(r"POST \S+/([0-9A-Z]{26}) \((\w+)\): (?:status (\d+))?", entry["event"])
        if match:
            action, what, status = match.groups()
            found.append(Post(action, None if what == "progress" else what, int(status) if status else None))
    return found


def _logs(stack: ChaosStack, offsets: Mapping[Path, int]) -> tuple[list[StepEnd], list[str]]:
    """The ends of steps in the workers' logs, and where anything unforeseen was logged."""
    steps, tracebacks = [], []
    for log in sorted(stack.logs.glob("*.log")):
        if log.name in ("postgres.log", "simulator.log"):
            continue
        with log.open(errors="replace") as file:
            file.seek(offsets.get(log, 0))
            lines = file.read().splitlines()
        for number, line in enumerate(lines):
            if line.startswith("Traceback"):
                tracebacks.append(f"{log.name}: {lines[number - 1]} … {_last_of(lines, number)}")
            elif ".step_runner step " in line:
                fields = dict(FIELD.findall(line))
                moment, _, _, _, outcome = line.split(" ", 5)[:5]
                steps.append(
                    StepEnd(datetime.fromisoformat(moment), log.stem, UUID(fields["task"]), fields["step"], outcome)
                )
    return steps, tracebacks


def _last_of(lines: Sequence[str], start: int) -> str:
    """The exception at the end of a traceback."""
    for line in lines[start + 1 :]:
        if line and not line.startswith((" ", "Traceback", "The above", "During")):
            return line
    return ""
