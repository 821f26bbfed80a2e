"""Every order of events keeps the promises; and without any one of the rules, some order breaks one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.lease_model import CLOSED, Bounds, Model, Rules, State, start, violation
from tests.model.search import Explored, explore

#: Two threads of one worker and one of another, at one task, while two report on it.
ONE_TASK = Bounds(owners=(0, 0, 1), tasks=1, reporters=2)
#: Two tasks that want the same node.
ONE_NODE = Bounds(owners=(0, 1), tasks=2, reporters=1, lapses=1, api_crashes=0)


def search(rules: Rules, bounds: Bounds) -> Explored[State]:
    return explore(start(bounds), Model(rules, bounds).events, violation)


@pytest.mark.parametrize("bounds", [ONE_TASK, ONE_NODE], ids=["one task", "one node"])
def test_no_order_of_events_breaks_a_promise(bounds: Bounds) -> None:
    explored = search(Rules(), bounds)
    assert not explored.broken, "\n".join((explored.broken, *explored.story))
    # The search went somewhere, and whatever happens, everything ends.
    assert explored.states > 10_000
    assert explored.endings
    for ending in explored.endings:
        assert all(row.status in CLOSED for row in ending.rows), ending
        assert ending.hold is None
    assert {row.status for ending in explored.endings for row in ending.rows} == set(CLOSED)


@pytest.mark.parametrize(
    ("missing", "bounds", "found"),
    [
        ("epoch_guard", ONE_TASK, "wrote under epoch"),
        ("open_guard", ONE_TASK, "was terminated, and was written to"),
        ("lease_respected", ONE_TASK, ""),
        ("terminate_read_again", ONE_TASK, "ran after the task was terminated"),
        ("node_hold", ONE_NODE, "drive the same node"),
        ("report_lock", ONE_TASK, "final status was written twice"),
        ("stored_before_acknowledged", ONE_TASK, ""),
        ("wake_remembered", ONE_TASK, "sleeps although its report is there"),
    ],
)
def test_each_rule_is_needed(missing: str, bounds: Bounds, found: str) -> None:
    explored = search(replace(Rules(), **{missing: False}), bounds)
    assert found in explored.broken, explored
    assert explored.broken
    assert explored.story
