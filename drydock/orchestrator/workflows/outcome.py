"""What a step may answer. "Not yet" is a value with a reason an operator can read."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.errors import DriverBusy, DrydockError
from drydock.model.boot_context import PreparedBoot
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.task import TaskResult


@dataclass(frozen=True, slots=True)
class Done:
    """The step has happened. ``message`` goes into the task's history.

    ``digest`` pins the task to a design snapshot; ``result`` is the task's own if this was its last step;
    ``finished``: the steps that follow are not needed, and the task has succeeded. ``boot`` is what the node is to
    boot with, kept in the transaction that records the step; ``warnings`` are further lines for the history.
    ``deployed``: what the node runs now; ``undeployed``: it runs nothing any more. ``goes_on_at``: the name of the
    next step, where it is not the one that follows.
    """

    message: str = ""
    digest: str | None = None
    result: TaskResult | None = None
    finished: bool = False
    goes_on_at: str | None = None
    boot: PreparedBoot | None = None
    warnings: tuple[str, ...] = ()
    deployed: NewDeployedNode | None = None
    undeployed: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again in ``seconds``, or sooner if something wakes the task."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Trying again cannot help. ``details`` are further lines for the history, all errors."""

    reason: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Something passing went wrong; the engine tries again until the step's deadline."""

    reason: str


#: Seconds until a driver that was at work on something else is called again.
BUSY_SECONDS = 5.0

Outcome = Done | Wait | Failed | Retry


def of_error(error: DrydockError) -> Failed | Retry | Wait:
    """What becomes of a task whose step raised this."""
    if isinstance(error, DriverBusy):
        return Wait(BUSY_SECONDS, str(error))
    return Retry(str(error)) if error.retry else Failed(str(error))
