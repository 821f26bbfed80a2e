"""The queue as workers and operators see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LaneNumbers:
    """Tasks of a lane: leased to a worker, due and free, waiting for their time.

    ``oldest``: for how many seconds the oldest of those that are due has been so; 0.0 without one.
    """

    lane: str
    leased: int
    due: int
    waiting: int
    oldest: float


@dataclass(frozen=True, slots=True)
class RenewedLease:
    task_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class UnknownTask:
    """A due task whose action, step, lane or status this version does not know; its columns as they are."""

    id: UUID
    action: str
    step: str | None
    lane: str
    status: str


@dataclass(frozen=True, slots=True)
class UnknownWork:
    """``number``: how many such tasks there are. ``examples``: the first of them."""

    number: int
    examples: Sequence[UnknownTask]
