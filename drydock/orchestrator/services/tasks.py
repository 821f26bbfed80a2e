"""Operations on tasks and nodes for operators: short methods, one unit of work each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from drydock.db.database import Database
from drydock.drivers.node.base import NodeProvisioner
from drydock.errors import PlanApplied, PlanNotFound, PlanStale, TaskNotFound
from drydock.model.build_data import BuildData
from drydock.model.event import EventPage, Position
from drydock.model.message import TaskMessage
from drydock.model.node_summary import NodeSummary
from drydock.model.rollout import Rollout
from drydock.model.task import NewTask, Task, TaskPage, TaskQuery, TaskVersion
from drydock.orchestrator.services.changes import ChangeWaiter
from drydock.orchestrator.services.plan_application import PlanApplication
from drydock.orchestrator.services.retention import delete_old
from drydock.orchestrator.services.rollout_request import rolled_out
from drydock.orchestrator.services.scope_check import ScopeCheck
from drydock.orchestrator.services.scope_guard import admitted, refusal, says_its_size
from drydock.orchestrator.services.task_retry import left_to_do, names_of, retry_of

#: How long a request may go on deleting; clients allow 30.
DELETE_SECONDS = 25.0


class TaskService:
    """``guard``: whether a whole site is destroyed or forced only by a request that says its size.

    ``rollout``: of requests that have none.
    """

    def __init__(
        self,
        database: Database,
        provisioner: NodeProvisioner,
        changes: ChangeWaiter,
        scope: ScopeCheck,
        plans: PlanApplication,
        *,
        guard: bool,
        rollout: Rollout,
    ) -> None:
        self._guard = guard
        self._rollout = rollout
        self._database = database
        self._provisioner = provisioner
        self._changes = changes
        self._scope = scope
        self._plans = plans

    def create_task(self, new: NewTask) -> Task:
        """Queue a task. Raises ``ScopeUnconfirmed``, ``UnexpectedNodeCount``, ``IdempotencyConflict``,
        ``NothingToRetry``; and where a plan is to be applied ``PlanApplied``, and what ``PlanApplication`` does.
        """
        new = admitted(new, guard=self._guard)
        digest = _request_digest(new)
        applies = new.plan is not None and new.retry_of is None
        if applies or says_its_size(new):
            # What is checked below may have changed since an equal request was answered.
            earlier = self._earlier(new, digest)
            if earlier is not None:
                return earlier
        if applies:
            return self._apply_once(new, digest)
        new = rolled_out(self._scope.checked(new), self._rollout)
        if new.retry_of is not None:
            return self._create_retry(new, new.retry_of, digest)
        return self._database.add_task(new, request_digest=digest)

    def _create_retry(self, new: NewTask, task_id: UUID, digest: bytes | None) -> Task:
        """One at a time for a task: the second sees what the first one makes."""
        total = self._scope.nodes_of_design(new)
        with self._database.unit_of_work() as uow:
            uow.retries.lock(task_id)
            task = uow.task_queue.of_request(new, request_digest=digest)
            if task is None:
                left = left_to_do(new, at_work=uow.retries.at_work(task_id), settled=uow.retries.settled(task_id))
                refused = refusal(left, names_of(left.node_filter), total)
                if refused is not None:
                    raise refused
                task = uow.task_queue.add(left, request_digest=digest)
            uow.commit()
        return task

    def _earlier(self, new: NewTask, digest: bytes | None) -> Task | None:
        with self._database.statements() as statements:
            return statements.task_queue.of_request(new, request_digest=digest)

    def _apply_once(self, new: NewTask, digest: bytes | None) -> Task:
        """An equal request may be answered meanwhile: what it began is no reason to refuse this one."""
        try:
            return self._apply(new, digest)
        except (PlanApplied, PlanStale):
            earlier = self._earlier(new, digest)
            if earlier is None:
                raise
            return earlier

    def _apply(self, new: NewTask, digest: bytes | None) -> Task:
        """A plan is applied once: of two requests at a time the second one finds the first one's task."""
        new, plan_id = rolled_out(new, self._rollout), new.plan or ""
        with self._database.statements() as statements:
            applied_by = statements.plans.applied_by(plan_id)
        if applied_by is not None:
            raise _applied(applied_by)
        admitted = self._plans.admitted(new, guard=self._guard)
        with self._database.unit_of_work() as uow:
            task = uow.task_queue.add(admitted, request_digest=digest)
            applied_by = uow.plans.apply(plan_id, task.id)
            if applied_by is None:
                raise PlanNotFound("the plan was deleted meanwhile")
            if applied_by != task.id:
                raise _applied(applied_by)
            uow.commit()
        return task

    def retry_of(self, task_id: UUID, *, created_by: str) -> NewTask:
        """A request for the same work, of the same design, on the nodes that failed; ``create_task`` leaves out those
        that a later task brought to success.

        Raises ``TaskNotFound``, ``TaskNotEnded``, ``NothingToRetry``.
        """
        with self._database.unit_of_work() as uow:
            return retry_of(uow.tasks.get(task_id), uow.tasks.outcomes(task_id), created_by=created_by)

    def task(self, task_id: UUID) -> Task:
        """Raises ``TaskNotFound``."""
        return self._database.task(task_id)

    def page(self, query: TaskQuery) -> TaskPage:
        with self._database.unit_of_work() as uow:
            return uow.tasks.page(query)

    def all_tasks(self, query: TaskQuery) -> Iterator[Task]:
        """Every task of ``query``, read page by page: a long list costs neither memory nor a long transaction."""
        marker = query.marker
        while True:
            page = self.page(replace(query, marker=marker, limit=None))
            yield from page.tasks
            marker = page.next_marker
            if marker is None:
                return

    def layers(self, task_id: UUID, depth: int) -> tuple[Task, ...]:
        """The task, then what is below it, ``depth`` layers in all (-1: every one). Raises ``TaskNotFound``."""
        with self._database.unit_of_work() as uow:
            found = [uow.tasks.get(task_id)]
            layer = list(found)
            while layer and depth not in (0, 1):
                layer = [child for task in layer if task.subtask_ids for child in uow.tasks.children(task.id)]
                found.extend(layer)
                depth -= 1
        return tuple(found)

    def subtask_errors(self, task_id: UUID) -> Mapping[UUID, tuple[TaskMessage, ...]]:
        """The error messages of each subtask that has any."""
        errors = {
            task.id: tuple(message for message in task.result.messages if message.error)
            for task in self.layers(task_id, -1)[1:]
        }
        return {task_id: found for task_id, found in errors.items() if found}

    def wait_for_change(self, task_id: UUID, seconds: float) -> None:
        """Return when the task or a subtask of it changed, at once if it has ended, or after ``seconds``."""
        deadline = time.monotonic() + seconds
        mark = self._changes.mark()
        seen = newest = self._version(task_id)
        while newest.status.open and newest.mark == seen.mark and (remaining := deadline - time.monotonic()) > 0:
            self._changes.wait_since(mark, remaining)
            mark = self._changes.mark()
            newest = self._version(task_id)

    def _version(self, task_id: UUID) -> TaskVersion:
        with self._database.unit_of_work() as uow:
            return uow.tasks.version(task_id)

    def events(self, task_id: UUID, after: Position, *, at_most: int) -> EventPage:
        """The events of a task tree after a position. Raises ``TaskNotFound``."""
        with self._database.unit_of_work() as uow:
            page = uow.events.page(task_id, after, at_most=at_most)
            uow.commit()
        return page

    def mark_changes(self) -> int:
        """Taken before a look, so that ``wait_for_changes`` misses nothing that happens after it."""
        return self._changes.mark()

    def wait_for_changes(self, mark: int, seconds: float) -> None:
        """Until something changed after the mark, in whatever task; no longer than ``seconds``, or a few of them."""
        self._changes.wait_since(mark, seconds)

    def terminate(self, task_id: UUID, *, by: str) -> Task:
        """Stop a task tree. Asking again changes nothing. Raises ``TaskNotFound``."""
        with self._database.unit_of_work() as uow:
            uow.task_signals.terminate(task_id, by=by)
            uow.commit()
        return self.task(task_id)

    def confirm(self, task_id: UUID, *, step: str | None, by: str, note: str) -> Task:
        """A person did what the task, or its subtasks, wait for. Asking again changes nothing.

        Raises ``TaskNotFound``, ``NoConfirmationAwaited``.
        """
        with self._database.unit_of_work() as uow:
            uow.confirmations.confirm(task_id, step=step, by=by, note=note)
            uow.commit()
        return self.task(task_id)

    def pause(self, task_id: UUID, *, by: str) -> Task:
        """No more nodes of the task begin. Raises ``TaskNotFound``, ``TaskEnded``, ``TaskNotPausable``."""
        with self._database.unit_of_work() as uow:
            uow.rollouts.pause(task_id, by=by)
            uow.commit()
        return self.task(task_id)

    def resume(self, task_id: UUID, *, by: str) -> Task:
        """Nodes of a paused task begin again. Raises as ``pause``."""
        with self._database.unit_of_work() as uow:
            uow.rollouts.resume(task_id, by=by)
            uow.commit()
        return self.task(task_id)

    def delete_tasks(self, *, older_than_days: int) -> int:
        """Delete closed tasks that old, as many as a request has time for. Returns how many, subtasks included."""
        return delete_old(self._database, older_than_days=older_than_days, seconds=DELETE_SECONDS)

    def build_data(self, task_id: UUID) -> tuple[BuildData, ...]:
        """Raises ``TaskNotFound``."""
        with self._database.unit_of_work() as uow:
            if not uow.tasks.exists(task_id):
                raise TaskNotFound(f"there is no task {task_id}")
            return uow.build_data.of_task(task_id)

    def node_build_data(self, node: str, *, latest: bool) -> tuple[BuildData, ...]:
        with self._database.unit_of_work() as uow:
            return uow.build_data.of_node(node, latest=latest)

    def list_nodes(self) -> Sequence[NodeSummary]:
        """What the provisioner knows. Raises ``DriverUnavailable``."""
        return self._provisioner.list_nodes()


def _applied(task_id: UUID) -> PlanApplied:
    return PlanApplied(f"the plan was applied before, by task {task_id}; make a new plan")


def _request_digest(new: NewTask) -> bytes | None:
    if new.idempotency_key is None:
        return None
    retried = None if new.retry_of is None else str(new.retry_of)
    asked: list[object] = [new.action.value, new.design_ref, new.node_filter, new.force, retried]
    if new.expect_nodes is not None or (new.all_nodes and new.retry_of is None):
        asked += [new.expect_nodes, bool(new.all_nodes)]
    if new.rollout is not None:
        asked.append(new.rollout)
    if new.plan is not None:
        asked.append({"plan": new.plan})
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
