"""A plan: what would be done to each node of a site, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

#: The steps of a task that applies a plan once the site is as the plan has it, as they are stored.
SITE_IS_PREPARED = ("plan_waves", "await_waves")


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
    CONTENT = "content"


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


@dataclass(frozen=True, slots=True)
class SiteChange:
    """Of what belongs to no node: a network, a link, a tag, a repository. Values as they may be shown."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class PreparedSite:
    """The design that a plan last prepared the site of, and when it had."""

    design_digest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds: in half of all cases, and in nine of ten, it takes no longer. ``samples``: nodes it was made from."""

    p50: float
    p90: float
    samples: int


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan without its nodes. ``id``: the SHA-256 (hex) of what it decides. ``estimate`` is None without history.

    ``waves``: how many nodes have begun after each, if it is applied as the options have it. ``applied_by``: the task.
    """

    id: str
    design_digest: str
    node_filter: Mapping[str, Any] | None
    destroy_unlisted: bool
    counts: Mapping[str, int]
    site: Sequence[SiteChange]
    waves: Sequence[int]
    estimate: Duration | None
    created: datetime
    created_by: str
    applied_by: UUID | None


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan to be kept; ``nodes`` in the order in which they are shown: the worst first."""

    id: str
    design_digest: str
    node_filter: Mapping[str, Any] | None
    destroy_unlisted: bool
    site: Sequence[SiteChange]
    waves: Sequence[int]
    estimate: Duration | None
    created_by: str
    nodes: Sequence[PlannedNode]

    @property
    def counts(self) -> Mapping[str, int]:
        """Nodes by decision."""
        found = dict.fromkeys((str(decision) for decision in Decision), 0)
        for node in self.nodes:
            found[node.decision] += 1
        return found
