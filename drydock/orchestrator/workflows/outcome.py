"""What a step may answer. "Not yet" is a value with a reason an operator can read."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.errors import DriverBusy, DrydockError, ReferenceBusy
from drydock.model.boot_context import PreparedBoot
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.task import TaskResult


@dataclass(frozen=True, slots=True)
class PinnedDesign:
    """The snapshot that the task's later steps see."""

    digest: str


@dataclass(frozen=True, slots=True)
class NothingDeployed:
    """The node does not run what was deployed any more."""


#: What is kept in the transaction that records the step, besides the history: the design that the task is pinned to,
#: what its node is to boot with, what its node runs now.
Kept = PinnedDesign | PreparedBoot | NewDeployedNode | NothingDeployed


@dataclass(frozen=True, slots=True)
class Done:
    """The step has happened: the next one follows, and after the last one the task has succeeded.

    ``message`` and ``warnings`` go into the task's history. ``goes_on_at``: the name of the next step, where it is not
    the one that follows.
    """

    message: str = ""
    warnings: tuple[str, ...] = ()
    kept: Kept | None = None
    goes_on_at: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The task ends with ``result``, whatever steps follow. ``message`` goes into its history."""

    result: TaskResult
    message: str = ""


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


#: Seconds until a driver that was at work on something else is called again; more where it asks for more.
BUSY_SECONDS = 5.0

Outcome = Done | Finished | Wait | Failed | Retry


def of_error(error: DrydockError) -> Failed | Retry | Wait:
    """What becomes of a task whose step raised this."""
    if isinstance(error, DriverBusy | ReferenceBusy):
        return Wait(max(BUSY_SECONDS, error.look_in or 0), str(error))
    return Retry(str(error)) if error.retry else Failed(str(error))
