"""The answer of a verb that changes something, for both families of drivers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProgressState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """``reason`` is for an operator: what the verb waits for, why it failed, or how it succeeded (empty: as usual).

    ``look_in``: seconds after which a pending verb is worth repeating; None: the usual pause.
    """

    state: ProgressState
    reason: str = ""
    look_in: float | None = None


def pending(reason: str, *, look_in: float | None = None) -> Progress:
    """Accepted, and not finished. Repeating the verb starts nothing twice."""
    return Progress(ProgressState.PENDING, reason, look_in)


def succeeded(how: str = "") -> Progress:
    return Progress(ProgressState.SUCCEEDED, how)


def failed(reason: str) -> Progress:
    """Repeating the verb cannot help."""
    return Progress(ProgressState.FAILED, reason)
