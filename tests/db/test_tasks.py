"""Tasks as they are read: single ones, lists, subtasks; and that no statement reads the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, event, select, text

from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import TaskNotFound
from drydock.model.actions import Action
from drydock.model.boot_context import Deployment
from drydock.model.rollup import NodeOutcome
from drydock.model.subtask import SubtaskCounts
from drydock.model.task import Lane, ResultStatus, TaskQuery, TaskStatus
from tests.factories.rows import add_boot, add_task, add_tree, claim, finish


def test_pages_follow_creation_and_filters(uow: UnitOfWork) -> None:
    parent, children = add_tree(uow, ["n1", "n2", "n3"])
    other = add_task(uow, by="bob")
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


def test_newest_first_and_without_subtasks(uow: UnitOfWork) -> None:
    first, _ = add_tree(uow, ["n1"])
    second = add_task(uow)
    page = uow.tasks.page(TaskQuery(subtasks=False, newest_first=True))
    assert [task.id for task in page.tasks] == [second.id, first.id]


def test_subtasks_with_their_counts_and_outcomes(uow: UnitOfWork) -> None:
    parent, children = add_tree(uow, ["n2", "n1"])
    assert [child.node for child in uow.tasks.children(parent.id)] == ["n2", "n1"], "as they were created"
    (claimed,) = claim(uow, Lane.NODE, at_most=1)
    finish(uow, claimed, ResultStatus.FAILURE)
    assert uow.tasks.count_children(parent.id) == SubtaskCounts(total=2, still_open=1)
    outcomes = {outcome.node: outcome for outcome in uow.tasks.outcomes(parent.id)}
    assert list(outcomes) == ["n1", "n2"], "by name"
    assert claimed.node is not None
    assert outcomes[claimed.node] == NodeOutcome(claimed.node, ResultStatus.FAILURE)
    assert {child.id for child in children} == {child.id for child in uow.tasks.children(parent.id)}


def test_deployments_by_boot_context(uow: UnitOfWork) -> None:
    context = add_boot(uow).context
    (found,) = uow.tasks.of_deployments([context.id, uuid4()]).values()
    assert (found.task.id, found.revoked) == (context.task_id, False)
    uow.boot_contexts.end(["n1"])
    assert uow.tasks.of_deployments([context.id]) == {context.id: Deployment(found.task, revoked=True)}


@pytest.fixture
def many(connection: Connection) -> UUID:
    """Enough rows that reading a whole table costs more than an index. Returns one task's id."""
    # PostgreSQL checks each row's root_id by a plan that it keeps. One that was made while the table was empty reads
    # all of it; ANALYZE after the first rows has a better one made for the others.
    for first, last in ((1, 1_000), (1_001, 20_000)):
        connection.execute(
            text(
                "INSERT INTO tasks (id, root_id, action, node, design_ref, status, created_by, lane, wake_at) "
                "SELECT i, i, 'deploy_node', 'n' || g, 'ref', CASE WHEN g % 100 = 0 THEN 'queued' ELSE 'complete' END, "
                "'user' || g % 500, 'node', CASE WHEN g % 100 = 0 THEN now() + g * interval '1 second' END "
                "FROM (SELECT gen_random_uuid() AS i, g FROM generate_series(:first, :last) g) s"
            ),
            {"first": first, "last": last},
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
        conn: Connection, cursor: object, statement: str, parameters: Sequence[Any], context: object, several: bool
    ) -> None:
        if "tasks" in statement and not statement.startswith(("EXPLAIN", "INSERT")):
            with closing(conn.connection.cursor()) as other:
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
