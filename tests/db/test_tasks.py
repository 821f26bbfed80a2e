"""Tasks on a real PostgreSQL: create, find, terminate, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, event, func, select, text, update

from drydock.db.tables import task_messages, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import IdempotencyConflict, LeaseLost, TaskNotFound
from drydock.model.message import NewMessage
from drydock.model.task import Action, Lane, NewTask, ResultStatus, Task, TaskQuery, TaskResult, TaskStatus
from drydock.model.task_change import Enter, Finish, Pause


def add(uow: UnitOfWork, *, key: str | None = None, digest: bytes | None = None, by: str = "alice") -> Task:
    new = NewTask(Action.DEPLOY_NODES, "drydock://designs/x", created_by=by, idempotency_key=key)
    return uow.task_queue.add(new, request_digest=digest)


def tree(uow: UnitOfWork, nodes: list[str]) -> tuple[Task, tuple[Task, ...]]:
    parent = add(uow)
    uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, nodes, lane=Lane.NODE, start_rate=1e9)
    return parent, uow.tasks.children(parent.id)


def claim(uow: UnitOfWork, lane: Lane, *, at_most: int = 5) -> Sequence[Task]:
    return uow.leases.claim("me", {lane: at_most}, lease_seconds=30).get(lane, ())


def begin(uow: UnitOfWork, task: Task, step: str) -> None:
    assert uow.outcomes.lock([task]) == {task.id}
    uow.outcomes.enter([Enter(task, step, Lane.TASK, timeout_seconds=60)])


def test_a_new_task_is_queued_and_due(uow: UnitOfWork) -> None:
    task = add(uow)
    found = uow.tasks.get(task.id)
    assert (found.status, found.result.status, found.root_id) == (TaskStatus.QUEUED, ResultStatus.INCOMPLETE, task.id)
    assert found.created.utcoffset() is not None
    assert [claimed.id for claimed in claim(uow, Lane.TASK)] == [task.id]


def test_an_unknown_task_is_not_found(uow: UnitOfWork) -> None:
    with pytest.raises(TaskNotFound):
        uow.tasks.get(uuid4())


def test_the_same_idempotency_key_is_the_same_task(uow: UnitOfWork) -> None:
    first = add(uow, key="k", digest=b"1")
    assert add(uow, key="k", digest=b"1").id == first.id
    assert add(uow, key="k", digest=b"1", by="bob").id != first.id
    with pytest.raises(IdempotencyConflict):
        add(uow, key="k", digest=b"2")


def test_subtasks_are_planned_once(uow: UnitOfWork) -> None:
    parent, children = tree(uow, ["n1", "n2"])
    uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, ["n1", "n2", "n3"], lane=Lane.NODE, start_rate=1e9)
    found = uow.tasks.get(parent.id)
    assert len(found.subtask_ids) == 3
    assert set(found.subtask_ids) >= {str(child.id) for child in children}
    assert found.progress is not None
    assert (found.progress.total, found.progress.by_status) == (3, {"queued": 3})


def test_pages_follow_creation_and_filters(uow: UnitOfWork) -> None:
    parent, children = tree(uow, ["n1", "n2", "n3"])
    other = add(uow, by="bob")
    everything = uow.tasks.page(TaskQuery())
    assert [task.id for task in everything.tasks] == [parent.id, *(child.id for child in children), other.id]
    first = uow.tasks.page(TaskQuery(limit=2))
    second = uow.tasks.page(TaskQuery(limit=2, marker=first.next_marker))
    third = uow.tasks.page(TaskQuery(limit=2, marker=second.next_marker))
    assert [task.id for page in (first, second, third) for task in page.tasks] == [t.id for t in everything.tasks]
    assert third.next_marker is None
    for query, expected in (
        (TaskQuery(parent=parent.id), {child.id for child in children}),
        (TaskQuery(node="n2"), {children[1].id}),
        (TaskQuery(created_by="bob"), {other.id}),
        (TaskQuery(action=Action.DEPLOY_NODES), {parent.id, other.id}),
        (TaskQuery(status=TaskStatus.RUNNING), set()),
    ):
        assert {task.id for task in uow.tasks.page(query).tasks} == expected
    with pytest.raises(TaskNotFound):
        uow.tasks.page(TaskQuery(marker=uuid4()))


def test_terminate_ends_what_waits_and_marks_what_runs(uow: UnitOfWork) -> None:
    parent, _ = tree(uow, ["n1", "n2"])
    (claimed_parent,) = claim(uow, Lane.TASK)
    (running,) = claim(uow, Lane.NODE, at_most=1)
    begin(uow, claimed_parent, "await_nodes")
    begin(uow, running, "identify")
    uow.task_signals.terminate(parent.id, by="bob")
    found = {child.id: child for child in uow.tasks.children(parent.id)}
    waited = next(child for child in found.values() if child.id != running.id)
    assert (found[running.id].status, waited.status) == (TaskStatus.TERMINATING, TaskStatus.TERMINATED)
    assert waited.result.failures == (waited.node,)
    assert uow.tasks.get(parent.id).status is TaskStatus.TERMINATING


def test_only_old_closed_trees_are_deleted(connection: Connection, uow: UnitOfWork) -> None:
    parent, _ = tree(uow, ["n1"])
    live = add(uow)
    uow.task_signals.terminate(parent.id, by="bob")
    uow.messages.add([NewMessage(parent.id, "a line")])
    connection.execute(update(tasks).values(updated=func.now() - func.make_interval(0, 0, 0, 8)))
    assert uow.retention.delete_tasks(older_than_days=9, at_most=10) == 0
    assert uow.retention.delete_tasks(older_than_days=7, at_most=10) == 2
    left = connection.scalars(select(tasks.c.id)).all()
    assert left == [live.id]
    assert connection.scalar(select(func.count()).select_from(task_messages)) == 0


def test_the_version_of_a_task_moves_with_its_subtasks(connection: Connection, uow: UnitOfWork) -> None:
    parent, children = tree(uow, ["n1"])
    before = uow.tasks.version(parent.id)
    uow.task_signals.touch(children[0].id)
    assert uow.tasks.version(parent.id).mark > before.mark


def test_text_that_postgresql_cannot_keep_is_replaced(uow: UnitOfWork) -> None:
    task = add(uow)
    uow.messages.add([NewMessage(task.id, "a\x00b \ud800")])
    assert uow.tasks.get(task.id).result.messages[0].message == "a\ufffdb ?"


@pytest.fixture
def many(connection: Connection) -> UUID:
    """Enough rows that reading a whole table costs more than an index. Returns one task's id."""
    connection.execute(
        text(
            "INSERT INTO tasks (id, root_id, action, node, design_ref, status, created_by, lane, wake_at, parent_id) "
            "SELECT i, i, 'deploy_node', 'n' || g, 'ref', CASE WHEN g % 100 = 0 THEN 'queued' ELSE 'complete' END, "
            "'user' || g % 500, 'node', CASE WHEN g % 100 = 0 THEN now() + g * interval '1 second' END, NULL "
            "FROM (SELECT gen_random_uuid() AS i, g FROM generate_series(1, 20000) g) s"
        )
    )
    connection.execute(text("ANALYZE tasks"))
    found = connection.scalar(select(tasks.c.id).limit(1))
    assert isinstance(found, UUID)
    return found


def test_no_query_of_the_engine_or_the_api_reads_the_whole_table(
    connection: Connection, uow: UnitOfWork, many: UUID
) -> None:
    seen: list[str] = []

    def explain(
        conn: Connection, cursor: object, statement: str, parameters: object, context: object, several: bool
    ) -> None:
        if "tasks" in statement and not statement.startswith(("EXPLAIN", "INSERT")):
            with conn.connection.cursor() as other:
                other.execute("EXPLAIN " + statement, parameters)
                plan = "\n".join(row[0] for row in other.fetchall())
            if "Seq Scan on tasks" in plan:
                seen.append(f"{statement}\n{plan}")

    event.listen(connection, "before_cursor_execute", explain)
    claim(uow, Lane.NODE, at_most=16)
    uow.leases.next_due_in(tuple(Lane))
    uow.tasks.get(many)
    uow.tasks.version(many)
    uow.tasks.count_children(many)
    uow.tasks.outcomes(many)
    uow.task_signals.wake_after_end([replace(uow.tasks.get(many), node="n5", parent_id=many)])
    uow.task_signals.terminate(many, by="x")
    uow.tasks.page(TaskQuery(limit=10))
    uow.tasks.page(TaskQuery(limit=10, status=TaskStatus.QUEUED))
    uow.tasks.page(TaskQuery(limit=10, node="n7", marker=many))
    uow.tasks.page(TaskQuery(limit=10, created_by="user7"))
    uow.tasks.page(TaskQuery(limit=10, parent=many))
    assert seen == []


def test_a_lease_that_lapses_while_its_outcome_is_written_spoils_the_transaction(
    connection: Connection, uow: UnitOfWork
) -> None:
    add(uow)
    (task,) = claim(uow, Lane.TASK)
    assert uow.outcomes.lock([task]) == {task.id}
    connection.execute(update(tasks).values(lease_until=func.now() - func.make_interval(0, 0, 0, 1)))
    with pytest.raises(LeaseLost):
        uow.outcomes.enter([Enter(task, "check_design", Lane.TASK, timeout_seconds=60)])
    with pytest.raises(LeaseLost):
        uow.outcomes.pause([Pause(task, 60, "waits")])
    with pytest.raises(LeaseLost):
        uow.outcomes.finish([Finish(task, TaskResult(ResultStatus.SUCCESS))])
