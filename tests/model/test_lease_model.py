"""Every order of events keeps the promises; and without any one of the rules, some order breaks one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.lease_model import CLOSED, COMPLETE, TERMINATED, Bounds, Model, Rules, State, start, violation
from tests.model.search import Explored, explore, without_way_out

#: Two threads of one worker and one of another, at one task.
ONE_TASK = Bounds(owners=(0, 0, 1), tasks=1, reporters=1)
#: A race of reports, while workers claim, freeze and lapse.
RACE = Bounds(owners=(0, 1), tasks=1, reporters=3)
#: Two tasks that want the same node.
ONE_NODE = Bounds(owners=(0, 1), tasks=2, reporters=0)
SMALL = Bounds(owners=(0, 1), tasks=1, reporters=1)


def search(rules: Rules, bounds: Bounds) -> Explored[State]:
    return explore(start(bounds), Model(rules, bounds).events, violation)


def all_is_over(state: State) -> bool:
    return (
        all(row.status in CLOSED for row in state.rows)
        and state.hold is None
        and all(slot.task is None for slot in state.slots)
        and all(reporter.phase == "over" for reporter in state.reporters)
    )


@pytest.mark.parametrize("bounds", [ONE_TASK, RACE, ONE_NODE], ids=["one task", "race", "one node"])
def test_no_order_of_events_breaks_a_promise(bounds: Bounds) -> None:
    explored = search(Rules(), bounds)
    assert not explored.broken, "\n".join((explored.broken, *explored.story))
    # The search went somewhere, and where nothing more can happen everything is over.
    assert explored.states > 10_000
    assert explored.endings
    assert all(all_is_over(ending) for ending in explored.endings)
    assert {row.status for ending in explored.endings for row in ending.rows} == {COMPLETE, TERMINATED}


def test_whatever_has_happened_everything_can_still_end() -> None:
    assert not without_way_out(start(SMALL), Model(Rules(), SMALL).events, all_is_over)


@pytest.mark.parametrize(
    ("missing", "bounds", "found"),
    [
        ("epoch_guard", ONE_TASK, "wrote in an epoch that was another's"),
        ("open_guard", ONE_TASK, "was terminated, and was written to"),
        ("lease_respected", ONE_TASK, "claimed while the lease of another lasted"),
        ("terminate_read_again", ONE_TASK, "ran after the task was terminated"),
        ("node_hold", ONE_NODE, "drive the same node"),
        ("report_lock", RACE, "final status"),
        ("stored_before_acknowledged", RACE, "its report is not stored"),
        ("wake_remembered", ONE_TASK, "sleeps although its report is there"),
    ],
)
def test_each_rule_is_needed(missing: str, bounds: Bounds, found: str) -> None:
    """The search has eyes: leave a rule out, and it tells the shortest story of how that goes wrong."""
    explored = search(replace(Rules(), **{missing: False}), bounds)
    assert found in explored.broken, explored.broken
    assert explored.story
