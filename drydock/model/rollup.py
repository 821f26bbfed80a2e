"""Combines the results of subtasks into the result of their parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drydock.counting import counted
from drydock.model.task import ResultStatus, TaskResult


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """Result of one node: the ``step`` at which it failed, the ``reason``, and the ``last_error`` before it."""

    node: str
    status: ResultStatus
    step: str = ""
    reason: str = ""
    last_error: str = ""

    @property
    def why(self) -> str:
        """At a deadline the reason is only what the node waited for, so the last error is added."""
        repeated = not self.last_error or self.last_error in self.reason
        return (self.reason or str(self.status)) + ("" if repeated else f"; last error: {self.last_error}")


def roll_up(outcomes: Sequence[NodeOutcome]) -> TaskResult:
    """``success`` if all succeeded (or there are none), ``failure`` if none did, else ``partial_success``."""
    successes = tuple(outcome.node for outcome in outcomes if outcome.status is ResultStatus.SUCCESS)
    failures = tuple(outcome.node for outcome in outcomes if outcome.status is not ResultStatus.SUCCESS)
    if not outcomes:
        return TaskResult(ResultStatus.SUCCESS, message="no nodes in scope")
    if not failures:
        succeeded = f"{counted(len(successes), 'node')} succeeded"
        return TaskResult(ResultStatus.SUCCESS, message=succeeded, successes=successes)
    status = ResultStatus.PARTIAL_SUCCESS if successes else ResultStatus.FAILURE
    return TaskResult(
        status,
        message=f"{len(failures)} of {counted(len(outcomes), 'node')} failed",
        reason="failed: " + ", ".join(failures),
        successes=successes,
        failures=failures,
    )


def failure_lines(outcomes: Sequence[NodeOutcome]) -> tuple[tuple[str, str], ...]:
    """(node, message) for each node that failed."""
    return tuple(
        (outcome.node, f"{outcome.node}: {outcome.why}")
        for outcome in outcomes
        if outcome.status is not ResultStatus.SUCCESS
    )
