"""How long a plan will take."""

from __future__ import annotations

import pytest

from drydock.model.actions import Action
from drydock.plan.estimate import estimate, percentile

DEPLOY, DESTROY = Action.DEPLOY_NODE, Action.DESTROY_NODE
HUNDRED = [float(number) for number in range(1, 102)]


def test_percentiles() -> None:
    assert (percentile(HUNDRED, 50), percentile(HUNDRED, 90)) == (51.0, 91.0)
    assert percentile([7.0], 90) == 7.0


def test_waves_add_up_and_installations_go_in_rounds_of_the_slots() -> None:
    found = estimate([{DEPLOY: 1}, {DEPLOY: 11}], {DEPLOY: [60.0, 60.0]}, slots=10)
    assert found is not None
    assert (found.p50, found.p90, found.samples) == (180.0, 180.0, 2)


def test_a_wave_takes_as_long_as_its_slowest_action() -> None:
    found = estimate([{DEPLOY: 1, DESTROY: 5}], {DEPLOY: [600.0], DESTROY: [20.0]}, slots=10)
    assert found is not None
    assert (found.p50, found.samples) == (600.0, 2)


def test_destructions_take_no_slots() -> None:
    found = estimate([{DESTROY: 500}], {DESTROY: [20.0]}, slots=10)
    assert found is not None
    assert found.p90 == 20.0


@pytest.mark.parametrize("history", [{}, {DEPLOY: []}, {DESTROY: [1.0]}])
def test_without_history_there_is_no_estimate(history: dict[Action, list[float]]) -> None:
    assert estimate([{DEPLOY: 1}], history, slots=10) is None


@pytest.mark.parametrize("waves", [[], [{DEPLOY: 0}]])
def test_nothing_to_do_takes_no_time(waves: list[dict[Action, int]]) -> None:
    found = estimate(waves, {}, slots=10)
    assert found is not None
    assert found.p90 == 0.0
