"""How a task ends: its result written down, its node let go, and a word to those who waited for it."""

from __future__ import annotations

from collections.abc import Sequence

from drydock.db.unit_of_work import Database, UnitOfWork
from drydock.model.task import ResultStatus, Task, TaskResult
from drydock.orchestrator.outcome import Done, Failed
from drydock.orchestrator.rollup import NodeOutcome, failure_lines, roll_up


def end_task(database: Database, task: Task, outcome: Done | Failed) -> None:
    """The end, in one transaction. Raises ``LeaseLost``.

    The wake-ups are a transaction of their own, after it: the last two subtasks to end would else not see each other.
    """
    with database.unit_of_work() as uow:
        outcomes = [] if task.node is not None else [NodeOutcome(*found) for found in uow.tasks.outcomes(task.id)]
        uow.leases.finish(task, result_of(task, outcome, outcomes))
        if isinstance(outcome, Failed):
            tell(uow, task, outcome.reason, error=True)
            for line in outcome.details:
                tell(uow, task, line, error=True)
        else:
            tell(uow, task, outcome.message)
        for node, line in failure_lines(outcomes):
            uow.messages.add(task.id, line, error=True, context_type="node", context=node)
        if task.node is not None:
            uow.holds.release(task)
        uow.commit()
    if task.node is not None:
        with database.unit_of_work() as uow:
            uow.tasks.wake_after_end(task)
            uow.commit()


def tell(uow: UnitOfWork, task: Task, message: str, *, error: bool = False) -> None:
    if message:
        uow.messages.add(task.id, message, error=error)


def result_of(task: Task, outcome: Done | Failed, outcomes: Sequence[NodeOutcome]) -> TaskResult:
    """``outcomes``: of the task's subtasks; none for a node's own task."""
    names = (task.node,) if task.node is not None else ()
    if isinstance(outcome, Done):
        return outcome.result or TaskResult(ResultStatus.SUCCESS, message=outcome.message, successes=names)
    below = roll_up(outcomes)
    return TaskResult(
        ResultStatus.FAILURE,
        message=f"{task.action} failed",
        reason=outcome.reason,
        successes=below.successes,
        failures=names or below.failures,
    )
