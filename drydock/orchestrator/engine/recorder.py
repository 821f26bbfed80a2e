"""Writes down what became of tasks: whatever several slots have to write at a moment goes into one transaction.

A slot waits until its own is written. While one writes, the others line up; the next takes all that has lined up. So
a busy worker pays for a transaction per dozen of steps, and an idle one does not wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import DatabaseUnavailable
from drydock.metrics import EngineMetrics
from drydock.model.actions import CHANGES_NODE
from drydock.model.boot_context import PreparedBoot
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.message import NewMessage
from drydock.model.rollout import TASK_ENDED
from drydock.model.task import ResultStatus, Task, TaskResult
from drydock.model.task_change import Enter, Finish, Pause
from drydock.orchestrator.workflows.outcome import Kept, NothingDeployed

LOG = logging.getLogger(__name__)

#: How often a task that waits for a busy node, or for its subtasks to stop, looks again unwoken.
BLOCKED_SECONDS = 10.0
#: How long one statement may take where bundles are written, megabytes for each node.
BUNDLE_SECONDS = 30.0
#: Bundles that go into one transaction: it locks rows whose leases are to be renewed.
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Begin:
    """A task's first step; a node's task becomes the one writer of its node, or waits and says for whom."""

    enter: Enter

    @property
    def task(self) -> Task:
        return self.enter.task


@dataclass(frozen=True, slots=True)
class Record:
    """The outcome of one task, its messages, and what is kept of it.

    A node that is to boot with something else is not known to run what was deployed on it before.
    """

    change: Begin | Enter | Pause | Finish
    lines: Sequence[NewMessage] = ()
    kept: Kept | None = None


_LinedUp = tuple[Sequence[Record], Future[Mapping[UUID, Task]]]


class Recorder:
    def __init__(self, database: Database, metrics: EngineMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._lined_up: list[_LinedUp] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def write(self, records: Sequence[Record]) -> Mapping[UUID, Task]:
        """Returns the tasks that the worker is to go on with, as they are now. A task that is another's is left alone.

        Raises ``DatabaseUnavailable``: whether it was written is not known then; the tasks are due again later.
        """
        if not records:
            return {}
        written: Future[Mapping[UUID, Task]] = Future()
        with self._lock:
            self._lined_up.append((records, written))
        with self._writing:
            if not written.done():
                with self._lock:
                    together, self._lined_up = self._lined_up, []
                for part in _parts(together):
                    self._write_together(part)
        return written.result()

    def _write_together(self, together: Sequence[_LinedUp]) -> None:
        try:
            going = self._transaction([record for records, _ in together for record in records])
        except Exception as exc:  # noqa: BLE001 - each slot gets it raised
            if len(together) == 1 or isinstance(exc, DatabaseUnavailable):
                for _, written in together:
                    written.set_exception(exc)
                return
            # One of them cannot be written; which one shows when each is written by itself.
            for single in together:
                self._write_together([single])
            return
        for records, written in together:
            ours = [record.change.task.id for record in records]
            written.set_result({task_id: going[task_id] for task_id in ours if task_id in going})

    def _transaction(self, records: Sequence[Record]) -> Mapping[UUID, Task]:
        boots = any(isinstance(record.kept, PreparedBoot) for record in records)
        with self._database.unit_of_work(statement_seconds=BUNDLE_SECONDS if boots else None) as uow:
            rollouts = {task.parent_id for task in _of_rollouts(records) if task.parent_id is not None}
            ended = _ended_rollouts(records)
            if rollouts or ended:
                # All that is locked in one statement, in the one order: the task first.
                uow.rollouts.lock(rollouts.union(record.change.task.id for record in records), ended=ended)
            mine = uow.outcomes.lock([record.change.task for record in records])
            valid = [record for record in records if record.change.task.id in mine]
            going, finished, stopped = _apply(uow, valid)
            uow.messages.add([line for record in valid for line in record.lines])
            uow.commit()
        for record in records:
            task = record.change.task
            if task.id not in mine:
                LOG.warning("lease lost; another worker has the task", extra={"task": str(task.id), "node": task.node})
                self._metrics.leases_lost.inc()
        self._count(finished)
        self._wake([*(finish.task for finish in finished), *stopped], _failed_parents(finished))
        return going

    def _count(self, finished: Sequence[Finish]) -> None:
        for ended in finished:
            kind = "task" if ended.task.node is None else "node"
            self._metrics.tasks_ended.labels(ended.task.action.value, kind, ended.result.status.value).inc()

    def _wake(self, ended: Sequence[Task], failed_parents: Collection[UUID]) -> None:
        """Who waited for these finds them ended at the next look anyway."""
        nodes = [task for task in ended if task.node is not None]
        if not nodes:
            return
        try:
            with self._database.statements() as uow:
                uow.task_signals.wake_after_end(nodes)
                # A budget may be spent.
                for parent_id in failed_parents:
                    uow.task_signals.wake(parent_id)
        except DatabaseUnavailable as exc:
            LOG.warning("could not wake who waited for %d ended tasks: %s", len(nodes), exc)


def _parts(together: Sequence[_LinedUp]) -> Iterator[Sequence[_LinedUp]]:
    """As few as keep each within ``_MOST_BYTES``; what is larger than that goes by itself."""
    part: list[_LinedUp] = []
    size = 0
    for records, written in together:
        more = sum(record.kept.size for record in records if isinstance(record.kept, PreparedBoot))
        if part and size + more > _MOST_BYTES:
            yield part
            part, size = [], 0
        part.append((records, written))
        size += more
    yield part


def _apply(uow: UnitOfWork, records: Sequence[Record]) -> tuple[Mapping[UUID, Task], Sequence[Finish], Sequence[Task]]:
    """Returns the tasks to go on with, the ends that were written, and the tasks that a spent budget ended."""
    changes = [record.change for record in records]
    beginning = [change for change in changes if isinstance(change, Begin)]
    beginning, stopped = _let_in(uow, beginning)
    held = _held(uow, beginning)
    beginning = [begin for begin in beginning if begin.task.id not in held]
    refused = uow.holds.hold_nodes([begin.task for begin in beginning])
    entered = [change for change in changes if isinstance(change, Enter)]
    entered += [begin.enter for begin in beginning if begin.task.id not in refused]
    paused = [change for change in changes if isinstance(change, Pause)]
    paused += [
        Pause(begin.task, BLOCKED_SECONDS, f"waiting for task {refused[begin.task.id]}, which has {begin.task.node}")
        for begin in beginning
        if begin.task.id in refused
    ]
    finished = [*(change for change in changes if isinstance(change, Finish)), *held.values()]
    now = uow.outcomes.enter(entered)
    # A task that is to terminate must not revoke what its node booted with before.
    boots = [record.kept for record in records if isinstance(record.kept, PreparedBoot)]
    replaced = [boot for boot in boots if not now[boot.context.task_id].terminate]
    uow.boot_contexts.replace(replaced)
    emptied = [record.change.task.node for record in records if isinstance(record.kept, NothingDeployed)]
    gone = [node for node in emptied if node is not None]
    uow.deployed_nodes.remove([*gone, *(boot.context.node for boot in replaced)])
    uow.deployed_nodes.record([record.kept for record in records if isinstance(record.kept, NewDeployedNode)])
    uow.outcomes.pause(paused)
    uow.outcomes.finish(finished)
    for finish in finished:
        if finish.task.rollout is not None:
            # Of a task that failed as a whole: nothing releases its later waves any more.
            uow.rollouts.end_unbegun(finish.task.id, TASK_ENDED, by="the end of its task")
    uow.holds.release([finish.task for finish in finished if finish.task.node is not None])
    return {enter.task.id: now[enter.task.id] for enter in entered if enter.keep_lease}, finished, stopped


def _of_rollouts(records: Sequence[Record]) -> Sequence[Task]:
    """The subtasks of rollouts that begin or end."""
    changes = [record.change for record in records if isinstance(record.change, Begin | Finish)]
    return [change.task for change in changes if change.task.wave is not None and change.task.parent_id is not None]


def _ended_rollouts(records: Sequence[Record]) -> Sequence[UUID]:
    """The tasks with a rollout that end as a whole: their subtasks end with them."""
    ended = [record.change.task for record in records if isinstance(record.change, Finish)]
    return [task.id for task in ended if task.rollout is not None]


def _failed_parents(finished: Sequence[Finish]) -> Collection[UUID]:
    failed = [finish.task for finish in finished if finish.result.status is ResultStatus.FAILURE]
    return {task.parent_id for task in failed if task.wave is not None and task.parent_id is not None}


def _let_in(uow: UnitOfWork, beginning: Sequence[Begin]) -> tuple[list[Begin], list[Task]]:
    """Those that may begin, and the tasks that end instead, as the budget of their rollout is spent.

    Nodes of a paused task are put back. The rollouts are locked: none of their nodes fails meanwhile.
    """
    parents = {begin.task.parent_id for begin in beginning if begin.task.wave is not None}
    gates = uow.rollouts.gates([parent_id for parent_id in parents if parent_id is not None])
    stopped: list[Task] = []
    for parent_id, gate in gates.items():
        tasks = [begin.task for begin in beginning if begin.task.parent_id == parent_id]
        task_ids = [task.id for task in tasks]
        if gate.spent is not None:
            uow.rollouts.end(task_ids, gate.spent)
            stopped += tasks
        else:
            uow.rollouts.park(task_ids)
    return [begin for begin in beginning if begin.task.parent_id not in gates], stopped


def _held(uow: UnitOfWork, beginning: Sequence[Begin]) -> Mapping[UUID, Finish]:
    """The ends of those whose node is held by an operator."""
    changing = [begin.task for begin in beginning if begin.task.action in CHANGES_NODE]
    holds = uow.operator_holds.of_nodes([task.node for task in changing if task.node is not None])
    ends = {}
    for task in changing:
        hold = holds.get((task.node or "").lower())
        if hold is not None:
            result = TaskResult(
                ResultStatus.FAILURE, f"{task.action} did not begin", str(hold), failures=(task.node or "",)
            )
            ends[task.id] = Finish(task, result)
    if ends:
        uow.messages.add([NewMessage(task_id, end.result.reason, error=True) for task_id, end in ends.items()])
    return ends
