"""Rows for tests of repositories: each function adds what is named and returns its record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection, text

from drydock.db.tables import metadata
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.actions import Action
from drydock.model.boot_action import BootAction
from drydock.model.boot_context import BootContext, BundleKind, PreparedBoot, SealedBundle
from drydock.model.task import Lane, ResultStatus, Task, TaskResult
from drydock.model.task_change import Enter, Finish
from tests.factories.tasks import new_task

_DELETE_ROWS = text("; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)))  # noqa: S608


def add_task(uow: UnitOfWork, *, by: str = "alice", action: Action = Action.DEPLOY_NODES) -> Task:
    return uow.task_queue.add(new_task(by=by, action=action), request_digest=None)


def add_tree(
    uow: UnitOfWork, nodes: Sequence[str], *, action: Action = Action.DEPLOY_NODE
) -> tuple[Task, tuple[Task, ...]]:
    """A task and its subtasks, all due."""
    parent = add_task(uow)
    uow.task_queue.add_subtasks(parent, action, nodes, lane=Lane.NODE, start_rate=1e9)
    return parent, uow.tasks.children(parent.id)


def claim(uow: UnitOfWork, lane: Lane, *, at_most: int = 5, owner: str = "me") -> Sequence[Task]:
    return uow.leases.claim(owner, {lane: at_most}, lease_seconds=30).get(lane, ())


def begin(uow: UnitOfWork, task: Task, step: str = "check_design") -> None:
    """Enter a first step, keeping the lease."""
    assert uow.outcomes.lock([task]) == {task.id}
    uow.outcomes.enter([Enter(task, step, Lane.TASK, timeout_seconds=60)])


def finish(uow: UnitOfWork, task: Task, status: ResultStatus = ResultStatus.SUCCESS) -> None:
    assert uow.outcomes.lock([task]) == {task.id}
    uow.outcomes.finish([Finish(task, TaskResult(status))])


def boot(task: Task, node: str = "n1", *, name: str = "join", signaling: bool = True) -> PreparedBoot:
    """A boot context with a bundle of each kind and one boot action, not stored yet."""
    now = datetime.now(UTC)
    context = BootContext(
        uuid4(), node, task.id, key_digest=uuid4().bytes, created=now, expires=now, packages={"vim": None}
    )
    bundles = [SealedBundle(context.id, kind, b"sealed " + kind.value.encode(), 5) for kind in BundleKind]
    action = BootAction(context.id.hex[:26], context.id, task.id, node, name, signaling=signaling)
    return PreparedBoot(context, bundles, [action], events_digest=b"token", lifetime_seconds=3600, contents={})


def add_boot(uow: UnitOfWork, node: str = "n1") -> PreparedBoot:
    """A stored boot context of a task of its own."""
    prepared = boot(add_task(uow), node)
    uow.boot_contexts.replace([prepared])
    return prepared


def delete_rows(connection: Connection) -> None:
    """Of all tables. To truncate them takes a hundred times as long, as each has files of its own."""
    connection.execute(_DELETE_ROWS)
