"""Only the guilty one fails, in every order of events; and without any one of the rules, some order breaks that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.lapse_model import GUILTY, Bounds, Model, Rules, State, all_is_over, start, violation
from tests.model.search import Explored, explore, without_way_out

BATCH = Bounds(workers=2, innocent=3)
OUTAGE = Bounds(workers=2, innocent=2, steps=2, outages=1)
THREE_OUTAGES = Bounds(workers=1, innocent=1, steps=3, outages=3)


def search(rules: Rules, bounds: Bounds) -> Explored[State]:
    return explore(start(bounds), Model(rules, bounds).events, violation)


@pytest.mark.parametrize("bounds", [BATCH, OUTAGE], ids=["batch", "outage"])
def test_no_order_of_events_fails_an_innocent_task(bounds: Bounds) -> None:
    explored = search(Rules(), bounds)
    assert not explored.broken, "\n".join((explored.broken, *explored.story))
    assert explored.endings
    for ending in explored.endings:
        assert [row.ended for row in ending.rows] == ["failed", *["succeeded"] * bounds.innocent]


def test_whatever_has_happened_everything_can_still_end() -> None:
    assert not without_way_out(start(BATCH), Model(Rules(), BATCH).events, all_is_over)


def test_without_the_count_the_guilty_one_never_ends() -> None:
    rules = Rules(counted=False)
    trapped = without_way_out(start(BATCH), Model(rules, BATCH).events, all_is_over)
    assert trapped
    assert not any(state.rows[GUILTY].ended for state in trapped)


@pytest.mark.parametrize(
    ("missing", "bounds"),
    [("suspects_one_at_a_time", BATCH), ("outcome_forgets", Bounds(workers=2, innocent=2, steps=3, outages=2))],
)
def test_each_rule_is_needed(missing: str, bounds: Bounds) -> None:
    explored = search(replace(Rules(), **{missing: False}), bounds)
    assert "had done nothing" in explored.broken
    assert explored.story


def test_what_is_accepted_three_outages_at_one_step() -> None:
    """docs/reference/actions.md says so: outages in a row, none of them with an outcome in between."""
    assert "had done nothing" in search(Rules(), THREE_OUTAGES).broken
