"""A plan: what would be done to each node of a site, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Decision(StrEnum):
    KEEP = "keep"
    DEPLOY = "deploy"
    REDEPLOY = "redeploy"
    DESTROY = "destroy"
    BLOCKED = "blocked"

    @property
    def touches(self) -> bool:
        """Whether applying the plan does anything to the node."""
        return self in (Decision.DEPLOY, Decision.REDEPLOY, Decision.DESTROY)


class ReasonKind(StrEnum):
    """``change``: a field with its old and new value; the others are text."""

    CHANGE = "change"
    NEW = "new"
    STATE = "state"
    UNLISTED = "unlisted"
    INTERRUPTS = "interrupts"
    HOLD = "hold"
    TASK = "task"
    HARDWARE = "hardware"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Reason:
    """``path``, ``old`` and ``new`` of a change, as they may be shown: of a secret only that it changed."""

    kind: ReasonKind
    text: str
    path: str | None = None
    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """``rests_on``: what the decision was made from, by name; it is stale when one of them is another."""

    name: str
    rack: str | None
    decision: Decision
    reasons: tuple[Reason, ...]
    rests_on: Mapping[str, str]
