"""A task: one asynchronous request, or (with a parent) one node's share of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from drydock.model.actions import Action
from drydock.model.confirmation import Confirmation
from drydock.model.machine import MachineContact
from drydock.model.message import TaskMessage
from drydock.model.stored import StoredEnum


class TaskStatus(StoredEnum):
    """Where a task is in its life.

    ``requested`` is never stored by us (a task is queued in the transaction that creates it) but clients know it.
    """

    REQUESTED = "requested"
    QUEUED = "queued"
    RUNNING = "running"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    COMPLETE = "complete"

    @property
    def open(self) -> bool:
        return self not in CLOSED


CLOSED = frozenset({TaskStatus.TERMINATED, TaskStatus.COMPLETE})

#: Allowed next states. ``tests/db/test_task_transitions.py`` checks every statement against them.
#: Terminating a queued task ends it at once; a running one ends at its next step. A queued task completes if it is
#: given up, as every worker that claimed it died.
TRANSITIONS: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.REQUESTED: frozenset({TaskStatus.QUEUED}),
    TaskStatus.QUEUED: frozenset({TaskStatus.RUNNING, TaskStatus.TERMINATED, TaskStatus.COMPLETE}),
    TaskStatus.RUNNING: frozenset({TaskStatus.TERMINATING, TaskStatus.COMPLETE}),
    TaskStatus.TERMINATING: frozenset({TaskStatus.TERMINATED}),
    TaskStatus.TERMINATED: frozenset(),
    TaskStatus.COMPLETE: frozenset(),
}


class Lane(StoredEnum):
    """Which queue an open task waits in, so that one kind of work cannot starve another.

    ``task``: what operators asked for, quick steps with slots of their own. ``node``: driver verbs.
    ``watch``: steps that only look, and look at hundreds of nodes with one question.
    """

    TASK = "task"
    NODE = "node"
    WATCH = "watch"


class ResultStatus(StoredEnum):
    INCOMPLETE = "incomplete"
    SUCCESS = "success"
    PARTIAL_SUCCESS = "partial_success"
    FAILURE = "failure"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What became of it. ``successes`` and ``failures`` are node names."""

    status: ResultStatus = ResultStatus.INCOMPLETE
    message: str = ""
    reason: str = ""
    successes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    messages: tuple[TaskMessage, ...] = ()

    @property
    def error_count(self) -> int:
        return sum(1 for message in self.messages if message.error)


@dataclass(frozen=True, slots=True)
class Lease:
    """The worker of a task. A write with an older ``epoch`` is refused."""

    owner: str
    epoch: int
    until: datetime


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """Counts over a task's subtasks, without a row per node."""

    total: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)
    by_step: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A task as stored.

    ``result.messages``, ``subtask_ids``, ``progress``, ``machine``, ``has_build_data``, ``confirmations``: only
    where a query reads them. Subtask ids are text: there may be ten thousand, and they are only shown.

    ``root_id`` is the task's own id for a task without a parent. ``design_digest`` is set once the design is
    pinned. ``step_since``, ``deadline_at``: of the present step. ``reason``: what it waits for, in words.
    ``overdue``: whether the deadline had passed when a worker claimed it. ``attempt``: failures in a row at this
    step; ``error_attempts``, ``last_error``: how many at all steps, and the last of them. ``lapses``: leases that
    lapsed in a row at this step, without an outcome in between; ``lapsed``: whether this claim found the last one.
    ``expect_nodes``, ``all_nodes``, ``rollout``, ``plan``: as in ``NewTask``; a plan's subtasks have it too. ``wave``:
    from 0, the present one of a task with a rollout, and that of its subtask. ``failure_budget``: of the nodes in
    scope; ``paused``, ``paused_by``: since when.
    """

    id: UUID
    root_id: UUID
    action: Action
    design_ref: str
    status: TaskStatus
    created: datetime
    updated: datetime
    created_by: str = ""
    parent_id: UUID | None = None
    node: str | None = None
    node_filter: Mapping[str, Any] | None = None
    design_digest: str | None = None
    force: bool = False
    retry_of: UUID | None = None
    result: TaskResult = TaskResult()
    subtask_ids: tuple[str, ...] = ()
    progress: TaskProgress | None = None
    terminate: bool = False
    terminated: datetime | None = None
    terminated_by: str | None = None
    request_id: str = ""
    step: str | None = None
    step_since: datetime | None = None
    deadline_at: datetime | None = None
    attempt: int = 0
    reason: str = ""
    lease: Lease | None = None
    overdue: bool = False
    lapses: int = 0
    lapsed: bool = False
    last_error: str = ""
    error_attempts: int = 0
    machine: MachineContact | None = None
    has_build_data: bool = False
    expect_nodes: int | None = None
    all_nodes: bool | None = None
    confirmations: tuple[Confirmation, ...] = ()
    rollout: Mapping[str, Any] | None = None
    plan: str | None = None
    wave: int | None = None
    failure_budget: int | None = None
    paused: datetime | None = None
    paused_by: str | None = None


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks to list. ``marker`` is the last id of the page before; without ``limit``: all.

    ``ids``: the first and the last that may be meant. ``subtasks``: False leaves them out. Oldest first unless
    ``newest_first``.
    """

    status: TaskStatus | None = None
    action: Action | None = None
    node: str | None = None
    created_by: str | None = None
    parent: UUID | None = None
    limit: int | None = None
    marker: UUID | None = None
    ids: tuple[UUID, UUID] | None = None
    subtasks: bool = True
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks in the order asked for; ``next_marker`` is None on the last page."""

    tasks: tuple[Task, ...]
    next_marker: UUID | None = None


@dataclass(frozen=True, slots=True)
class TaskVersion:
    """``mark`` differs from an earlier one if the task or a subtask of it changed in between."""

    status: TaskStatus
    mark: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class NewTask:
    """A request for a task, checked by the API. ``idempotency_key`` is unique per ``created_by``.

    ``design_digest``: the snapshot to work on, where it is known already. ``expect_nodes``: how many nodes are to be
    in scope. ``all_nodes``: whether that may be every node of the design; None: not checked, as the guard is off.
    ``rollout``: as in ``model/rollout.py``; None for all nodes at once. ``plan``: what apply_plan applies, by its id.
    """

    action: Action
    design_ref: str
    created_by: str
    node_filter: Mapping[str, Any] | None = None
    force: bool = False
    retry_of: UUID | None = None
    request_id: str = ""
    idempotency_key: str | None = None
    design_digest: str | None = None
    expect_nodes: int | None = None
    all_nodes: bool | None = False
    rollout: Mapping[str, Any] | None = None
    plan: str | None = None
