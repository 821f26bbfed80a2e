"""How a task ends: its result, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from drydock.model.message import NewMessage
from drydock.model.rollup import NodeOutcome, failure_lines, roll_up
from drydock.model.task import ResultStatus, Task, TaskResult
from drydock.model.task_change import Finish
from drydock.orchestrator.engine.recorder import Record
from drydock.orchestrator.workflows.outcome import Done, Failed


def ending(task: Task, outcome: Done | Failed, outcomes: Sequence[NodeOutcome]) -> Record:
    """``outcomes``: of the task's subtasks; none for a node's own task."""
    if isinstance(outcome, Failed):
        lines = [NewMessage(task.id, line, error=True) for line in (outcome.reason, *outcome.details)]
    else:
        lines = told(task, outcome.message)
    lines += [
        NewMessage(task.id, line, error=True, context_type="node", context=node)
        for node, line in failure_lines(outcomes)
    ]
    return Record(Finish(task, _result_of(task, outcome, outcomes)), lines)


def told(task: Task, message: str) -> list[NewMessage]:
    return [NewMessage(task.id, message)] if message else []


def _result_of(task: Task, outcome: Done | Failed, outcomes: Sequence[NodeOutcome]) -> TaskResult:
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
