"""How long a plan will take."""

from __future__ import annotations

import pytest

from drydock.model.plan import Decision
from drydock.plan.estimate import estimate, percentile

HUNDRED = [float(number) for number in range(1, 102)]


def test_percentiles() -> None:
    assert (percentile(HUNDRED, 50), percentile(HUNDRED, 90)) == (51.0, 91.0)
    assert percentile([7.0], 90) == 7.0


def test_waves_add_up_and_each_goes_in_rounds_of_the_slots() -> None:
    found = estimate([{Decision.DEPLOY: 1}, {Decision.DEPLOY: 11}], {Decision.DEPLOY: [60.0, 60.0]}, slots=10)
    assert found is not None
    assert (found.p50, found.p90, found.samples) == (180.0, 180.0, 2)


def test_a_wave_takes_as_long_as_its_slowest_kind_of_work() -> None:
    history = {Decision.DEPLOY: [600.0], Decision.DESTROY: [20.0]}
    found = estimate([{Decision.DEPLOY: 1, Decision.DESTROY: 5, Decision.KEEP: 100}], history, slots=10)
    assert found is not None
    assert found.p50 == 600.0


@pytest.mark.parametrize("history", [{}, {Decision.DEPLOY: []}, {Decision.DESTROY: [1.0]}])
def test_without_history_there_is_no_estimate(history: dict[Decision, list[float]]) -> None:
    assert estimate([{Decision.DEPLOY: 1}], history, slots=10) is None


def test_nothing_to_do_takes_no_time() -> None:
    found = estimate([{Decision.KEEP: 7}], {}, slots=10)
    assert found is not None
    assert found.p90 == 0.0
