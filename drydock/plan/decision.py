"""What is to be done with one node, from what is known of it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from drydock.design.secrecy import masked_text
from drydock.model.plan import Decision, PlannedNode, Reason, ReasonKind
from drydock.plan.design_difference import node_changes
from drydock.plan.difference import ABSENT, CHANGED, Change, Comparison, shown
from drydock.plan.fingerprint import fingerprint, recordable
from drydock.plan.sections import DEPLOYED

Sections = Mapping[str, Mapping[str, Any]]


class Observed(Enum):
    """What the provisioner answers, as far as a plan cares. ``UNREACHABLE``: it does not."""

    DEPLOYED = "deployed"
    NOT_DEPLOYED = "not deployed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the last successful deployment was made from. ``id``: of the record. ``since``: when and by which task, in
    words. ``sections`` is None if all are as in the design.
    """

    id: str
    since: str
    sections: Sections | None


@dataclass(frozen=True, slots=True)
class ComparedContents:
    """Of the assets of a node, as recorded and as they would be now.

    ``changed``: names of boot action and asset of those that differ. ``unrecorded``: of those that have no record to
    compare with; where the design has not changed, a plan says so. ``unknown``: in words, what could not be compared
    now. ``notes``: in words, what is not compared, or was not recorded. ``rests_on``: equal as long as nothing changed.
    """

    changed: tuple[tuple[str, str], ...] = ()
    unrecorded: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rests_on: str | None = None


NOT_COMPARED = ComparedContents()


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """All that a decision is made from. ``hold``, ``task``: in words, None if there is none. ``mismatches``: between
    the hardware and its profile, as far as known. ``unsuccessful``: the task that deployed it, if it did not end well.
    """

    recorded: Recorded | None
    observed: Observed
    hold: str | None = None
    task: str | None = None
    mismatches: tuple[str, ...] = ()
    unsuccessful: str | None = None
    contents: ComparedContents = NOT_COMPARED

    def rests_on(self) -> Mapping[str, str]:
        """By name, as text that is equal as long as nothing changed."""
        return {
            "recorded": "none" if self.recorded is None else self.recorded.id,
            "observed": self.observed.value,
            "hold": self.hold or "none",
            "hardware": fingerprint(self.mismatches),
        }


class Decider:
    """Decides for the nodes of one plan.

    ``destroy_unlisted``: nodes that the design has not are destroyed. ``hardware_blocks``: whether a node is not
    deployed on hardware that is not as the design has it; otherwise its plan says so.
    """

    def __init__(self, *, destroy_unlisted: bool, hardware_blocks: bool) -> None:
        self._destroy_unlisted = destroy_unlisted
        self._hardware_blocks = hardware_blocks
        self._comparison = Comparison()

    def decide(self, name: str, rack: str | None, wanted: Sections | None, facts: NodeFacts) -> PlannedNode:
        """``wanted``: the node's sections in the new design; None if it is not in it."""
        decision, reasons = self._wish(wanted, facts)
        rests_on = facts.rests_on()
        if decision in (Decision.DEPLOY, Decision.REDEPLOY):
            reasons = (*(Reason(ReasonKind.HARDWARE, text) for text in facts.mismatches), *reasons)
        else:
            rests_on = {key: value for key, value in rests_on.items() if key != "hardware"}
        if decision is Decision.REDEPLOY and facts.contents.rests_on is not None:
            rests_on = {**rests_on, "contents": facts.contents.rests_on}
        if decision.touches:
            blocks = tuple(_blocks(facts))
            mismatched = self._hardware_blocks and "hardware" in rests_on and facts.mismatches
            if blocks or mismatched:
                decision, reasons = Decision.BLOCKED, (*blocks, *reasons)
        return PlannedNode(name, rack, decision, reasons, rests_on)

    def _wish(self, wanted: Sections | None, facts: NodeFacts) -> tuple[Decision, tuple[Reason, ...]]:
        """What would be done if nothing stood against it."""
        if facts.observed is Observed.UNREACHABLE:
            text = "the provisioner does not answer, so that the state of the machine is unknown"
            return Decision.BLOCKED, (Reason(ReasonKind.UNREACHABLE, text),)
        if wanted is None:
            return self._unlisted(facts)
        if facts.recorded is None:
            return _not_recorded(facts)
        interrupts = Reason(ReasonKind.INTERRUPTS, f"deployed since {facts.recorded.since}")
        before = facts.recorded.sections
        changes = () if before is None else node_changes(self._comparison, before, recordable(wanted))
        reasons = (*map(_reason, changes), *_of_contents(facts.contents, changes))
        if facts.observed is Observed.NOT_DEPLOYED:
            text = f"deployed {facts.recorded.since}, but not according to the provisioner"
            return Decision.DEPLOY, (Reason(ReasonKind.STATE, text), *reasons)
        if facts.contents.unknown:
            unknown = (Reason(ReasonKind.CONTENT, text) for text in facts.contents.unknown)
            return Decision.BLOCKED, (*unknown, *reasons)
        if facts.contents.changed or any(change.path[0] in DEPLOYED for change in changes):
            return Decision.REDEPLOY, (*reasons, interrupts)
        return Decision.KEEP, reasons

    def _unlisted(self, facts: NodeFacts) -> tuple[Decision, tuple[Reason, ...]]:
        unlisted = Reason(ReasonKind.UNLISTED, "not in the design")
        if not self._destroy_unlisted:
            return Decision.KEEP, (unlisted,)
        if facts.recorded is None:
            return Decision.DESTROY, (unlisted,)
        return Decision.DESTROY, (unlisted, Reason(ReasonKind.INTERRUPTS, f"deployed since {facts.recorded.since}"))


def _not_recorded(facts: NodeFacts) -> tuple[Decision, tuple[Reason, ...]]:
    if facts.observed is Observed.DEPLOYED and facts.unsuccessful is not None:
        text = f"its last deployment did not end well: task {facts.unsuccessful}"
        return Decision.REDEPLOY, (Reason(ReasonKind.STATE, text),)
    if facts.observed is Observed.DEPLOYED:
        text = "deployed, but there is no record with what: deploy it once with force to have one"
        return Decision.BLOCKED, (Reason(ReasonKind.UNKNOWN, text),)
    return Decision.DEPLOY, (Reason(ReasonKind.NEW, "not deployed"),)


def _of_contents(contents: ComparedContents, changes: Sequence[Change]) -> Iterator[Reason]:
    """Without assets that the design itself has otherwise."""
    seen = {change.path[1:4:2] for change in changes if change.path[0] == "boot_actions"}
    whole = {change.path[1] for change in changes if change.path[0] == "boot_actions" and len(change.path) == 2}

    def alike(assets: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        return (names for names in assets if names not in seen and names[0] not in whole)

    for names in alike(contents.changed):
        path = ".".join(masked_text(name) for name in ("contents", *names))
        yield Reason(ReasonKind.CHANGE, "changed", path, CHANGED, CHANGED)
    for action, asset in alike(contents.unrecorded):
        text = "its content was not recorded when it was deployed, and is not compared"
        yield Reason(ReasonKind.CONTENT, f"boot action {masked_text(action)}: asset {masked_text(asset)}: {text}")
    for text in contents.notes:
        yield Reason(ReasonKind.CONTENT, text)


def _blocks(facts: NodeFacts) -> Iterator[Reason]:
    if facts.hold is not None:
        yield Reason(ReasonKind.HOLD, facts.hold)
    if facts.task is not None:
        yield Reason(ReasonKind.TASK, facts.task)


def _reason(change: Change) -> Reason:
    seen = shown(change)
    old, new = (None if value is ABSENT else value for value in (seen.old, seen.new))
    return Reason(ReasonKind.CHANGE, "changed", ".".join(seen.path), old, new)
