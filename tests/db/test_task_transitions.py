"""Every statement that writes a task's status makes only the transitions that ``model/task.py`` allows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, func, select, update

import drydock.db
from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import LeaseLost
from drydock.model.actions import Action
from drydock.model.task import CLOSED, TRANSITIONS, Lane, NewTask, ResultStatus, Task, TaskResult, TaskStatus
from drydock.model.task_change import Enter, Finish

#: Where ``db`` writes a column or a value of this name. Those of tasks are used in ``WRITES`` and ``ADDS``.
WRITERS = {
    ("outcome_statements", "ENTER"),
    ("outcome_statements", "FINISH"),
    ("task_queue", "_columns"),
    ("task_queue", "add_subtasks"),
    ("rollouts", "_end"),
    ("termination", "_mark"),
    # The final status of a boot action, and that of its report.
    ("report_statements", "_finalized"),
    ("reports", "remember"),
}
#: No row ever has it.
STORED = [status for status in TaskStatus if status is not TaskStatus.REQUESTED]


def _names(tree: ast.Module) -> Iterator[str]:
    """The functions and constants around ``status=…`` in a call of ``values``, and around ``"status": …`` in a dict."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        call = parents.get(node)
        is_value = (
            isinstance(node, ast.keyword)
            and node.arg == "status"
            and isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "values"
        )
        is_key = isinstance(node, ast.Constant) and node.value == "status" and isinstance(call, ast.Dict)
        if is_value or is_key:
            yield _around(node, parents)


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    while not isinstance(node, ast.FunctionDef):
        above = parents[node]
        if isinstance(above, ast.Module):
            assert isinstance(node, ast.Assign)
            return ast.unparse(node.targets[0])
        node = above
    return node.name


def test_all_statements_that_write_a_status_are_known() -> None:
    found = {
        (file.stem, name)
        for file in Path(drydock.db.__path__[0]).glob("*.py")
        for name in _names(ast.parse(file.read_text()))
    }
    # The rows of FINISH's parameter have one too, that of the result.
    assert found - {("outcomes", "finish")} == WRITERS


def enter(uow: UnitOfWork, task: Task) -> None:
    uow.outcomes.enter([Enter(task, "check_design", Lane.TASK, timeout_seconds=60)])


def finish(uow: UnitOfWork, task: Task) -> None:
    uow.outcomes.finish([Finish(task, TaskResult(ResultStatus.SUCCESS))])


def terminate(uow: UnitOfWork, task: Task) -> None:
    uow.task_signals.terminate(task.id, by="bob")


WRITES: tuple[Callable[[UnitOfWork, Task], None], ...] = (enter, finish, terminate)


def transition(
    connection: Connection, uow: UnitOfWork, write: Callable[[UnitOfWork, Task], None], status: TaskStatus
) -> TaskStatus:
    """The status that ``write`` leaves of a claimed task in ``status``."""
    task = uow.task_queue.add(NewTask(Action.DEPLOY_NODES, "ref", created_by="alice"), request_digest=None)
    (claimed,) = uow.leases.claim("me", {Lane.TASK: 1}, lease_seconds=30)[Lane.TASK]
    marked = status in (TaskStatus.TERMINATING, TaskStatus.TERMINATED)
    row: dict[str, object] = {"status": status.value, "terminate": marked, "terminated_by": "eve" if marked else None}
    if status in CLOSED:
        row |= {"wake_at": None, "lease_owner": None, "lease_until": None}
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(row))
    # The lease of a task that has ended does not last.
    with suppress(LeaseLost):
        write(uow, claimed)
    return TaskStatus(connection.execute(select(tasks.c.status).where(tasks.c.id == task.id)).scalar_one())


def test_statements_make_the_allowed_transitions_and_no_other(connection: Connection, uow: UnitOfWork) -> None:
    made: dict[TaskStatus, set[TaskStatus]] = {status: set() for status in STORED}
    for status in STORED:
        for write in WRITES:
            with connection.begin_nested() as savepoint:
                made[status].add(transition(connection, uow, write, status))
                savepoint.rollback()
    assert {status: following - {status} for status, following in made.items()} == {
        status: set(TRANSITIONS[status]) for status in STORED
    }


def test_tasks_begin_queued(connection: Connection, uow: UnitOfWork) -> None:
    parent = uow.task_queue.add(NewTask(Action.DEPLOY_NODES, "ref", created_by="alice"), request_digest=None)
    uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, ["n1"], lane=Lane.NODE, start_rate=1.0)
    statuses = connection.execute(select(tasks.c.status, func.count()).group_by(tasks.c.status)).all()
    assert [tuple(row) for row in statuses] == [("queued", 2)]
    assert TRANSITIONS[TaskStatus.REQUESTED] == {TaskStatus.QUEUED}
