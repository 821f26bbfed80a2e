"""What became of a claimed task: the changes that a worker writes to its row."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.model.task import Lane, Task, TaskResult


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on to a step; its deadline starts now. ``timeout_seconds`` None: it has none.

    Without ``keep_lease`` the task is due for any worker in ``look_in`` seconds. ``digest`` pins the task to a design.
    """

    task: Task
    step: str
    lane: Lane
    timeout_seconds: float | None
    digest: str | None = None
    keep_lease: bool = True
    look_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A task that is due again in ``seconds``. ``attempt``: failed attempts at this step so far."""

    task: Task
    seconds: float
    reason: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The end. A task that was to terminate ends as terminated, whatever its result."""

    task: Task
    result: TaskResult
