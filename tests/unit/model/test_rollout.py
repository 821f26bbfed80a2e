"""The arithmetic of waves and of the failure budget."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.errors import InvalidInput
from drydock.model.rollout import PLAIN, Pause, Rollout, Share, share_of, spread, waves_of

ALL_AT_ONCE = Rollout(waves=(Share(100, percent=True),), max_failed=None, pause=Pause.NEVER)

shares = st.one_of(st.integers(1, 500), st.integers(1, 100).map(lambda number: f"{number}%"))


def rollout(**value: Any) -> Rollout:
    return Rollout.parse(value, ALL_AT_ONCE)


@pytest.mark.parametrize(
    ("waves", "total", "ends"),
    [
        ([1, "10%", "100%"], 100, (1, 10, 100)),
        ([1, "10%", "100%"], 12, (1, 2, 12)),  # 10 % of 12 is 1.2
        ([1, "10%", "100%"], 5, (1, 5)),  # 10 % of 5 is the first node again
        ([1, "25%", "100%"], 1, (1,)),
        ([1, 5], 20, (1, 5, 20)),
        (["50%", 3], 20, (10, 20)),
        ([50], 20, (20,)),
        (["1%"], 0, ()),
    ],
)
def test_waves_are_cumulative_and_rounded_up(waves: list[Any], total: int, ends: tuple[int, ...]) -> None:
    assert rollout(waves=waves).ends(total) == ends


@pytest.mark.parametrize(
    ("max_failed", "total", "budget"),
    [(2, 12, 2), ("5%", 100, 5), ("5%", 12, 1), ("5%", 21, 2), (0, 12, 1), ("0%", 12, 1), (None, 12, None)],
)
def test_the_budget_is_rounded_up_and_at_least_one_failure(max_failed: Any, total: int, budget: int | None) -> None:
    assert rollout(max_failed=max_failed).budget(total) == budget


@pytest.mark.parametrize(
    ("waves", "total", "said"),
    [
        ([1, "10%", "100%"], 45, ""),
        ([50, "10%"], 45, "; waves that add no node: 10%"),
        (["10%", 1, 5, "100%"], 45, "; waves that add no node: 1, 5"),
        (["10%", 1], 0, ""),
    ],
)
def test_waves_that_add_no_node_are_named(waves: list[Any], total: int, said: str) -> None:
    assert rollout(waves=waves).without_nodes(total) == said


def test_pauses() -> None:
    assert [rollout(pause=pause).pauses_after(wave) for pause in Pause for wave in (0, 1)] == [
        *(False, False),
        *(True, False),
        *(True, True),
    ]


def test_a_wave_is_spread_over_racks() -> None:
    nodes = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", None), ("c2", None)]
    assert spread(nodes) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert waves_of(spread(nodes), rollout(waves=["50%", "100%"])) == {
        "a1": 0,
        "b1": 0,
        "c1": 0,
        "a2": 1,
        "c2": 1,
        "a3": 1,
    }


@given(st.lists(st.tuples(st.uuids().map(str), st.sampled_from(["r1", "r2", "r3", None])), unique_by=lambda n: n[0]))
def test_each_node_is_in_one_wave(nodes: list[tuple[str, str | None]]) -> None:
    found = waves_of(spread(nodes), rollout(waves=[1, "10%", "60%"]))
    assert sorted(found) == sorted(name for name, _ in nodes)
    assert set(found.values()) == set(range(len(set(found.values()))))


@given(st.lists(shares, min_size=1, max_size=6), st.integers(0, 2000))
def test_ends_increase_to_the_total(waves: list[Any], total: int) -> None:
    numbers = sorted(wave for wave in waves if isinstance(wave, int))
    percents = sorted((wave for wave in waves if isinstance(wave, str)), key=lambda wave: int(wave[:-1]))
    ends = rollout(waves=[*numbers, *percents]).ends(total)
    assert list(ends) == sorted(set(ends))
    assert ends[-1:] == ((total,) if total else ())


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"waves": []}, "rollout.waves"),
        ({"waves": 3}, "rollout.waves"),
        ({"waves": [1] * 101}, "rollout.waves"),
        ({"waves": [1, 0]}, "rollout.waves[1]"),
        ({"waves": ["0%"]}, "rollout.waves[0]"),
        ({"waves": ["101%"]}, "rollout.waves[0]"),
        ({"waves": ["10"]}, "rollout.waves[0]"),
        ({"waves": ["٣%"]}, "rollout.waves[0]"),
        ({"waves": [True]}, "rollout.waves[0]"),
        ({"waves": [1.5]}, "rollout.waves[0]"),
        ({"waves": [None]}, "rollout.waves[0]"),
        ({"waves": [5, 1]}, "rollout.waves[1]"),
        ({"waves": ["50%", 3, "20%"]}, "rollout.waves[2]"),
        ({"max_failed": -1}, "rollout.max_failed"),
        ({"max_failed": "x%"}, "rollout.max_failed"),
        ({"pause": "sometimes"}, "rollout.pause"),
        ({"pause": []}, "rollout.pause"),
        ({"wave": [1]}, "rollout.wave"),
        ([], "rollout"),
        (None, "rollout"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(value: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Rollout.parse(value, ALL_AT_ONCE)
    assert refused.value.field == field


@given(st.lists(shares.filter(lambda share: isinstance(share, str)), min_size=1, max_size=1), st.integers(0, 9))
def test_json_is_read_back_alike(waves: list[Any], max_failed: int) -> None:
    made = rollout(waves=waves, max_failed=max_failed, pause="after_each")
    assert Rollout.parse(made.json, ALL_AT_ONCE) == made


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("10%", "10%"), ("", ""), ("9" * 9, 999_999_999), ("9" * 5000, "9" * 5000), ("\u0663", "\u0663")],
)
def test_a_share_of_an_option(text: str, value: int | str) -> None:
    """What is no share is refused as such, and does not end the command with a stack."""
    assert share_of(text) == value
    if value != 7 and value != "10%":
        with pytest.raises(InvalidInput, match="max_failed"):
            Rollout.parse({"max_failed": share_of(text)}, PLAIN)
