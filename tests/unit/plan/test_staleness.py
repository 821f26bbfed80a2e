"""Whether a plan still holds."""

from __future__ import annotations

from drydock.plan.staleness import changed, stale

PLANNED = {"recorded": "none", "observed": "not deployed", "hold": "none"}


def test_nothing_has_changed() -> None:
    assert changed(PLANNED, {**PLANNED, "hardware": "ab"}) is None
    assert stale({"n01": PLANNED}, {"n01": PLANNED}) is None


def test_each_change_is_named() -> None:
    now = {"recorded": "d1", "observed": "deployed", "hold": "none"}
    assert changed(PLANNED, now) == (
        "its recorded deployment was none and is d1, its state at the provisioner was not deployed and is deployed"
    )
    assert changed({"hardware": "ab"}, {"hardware": "cd"}) == "what is known of its hardware has changed"


def test_the_first_nodes_are_named_and_the_others_counted() -> None:
    planned = {f"n{number:02}": PLANNED for number in range(12)}
    words = stale(planned, {name: {**PLANNED, "hold": "n is held"} for name in planned}) or ""
    assert words.startswith("n00: its hold was none and is n is held; n01: ")
    assert words.endswith("; and 2 more")


def test_nodes_that_are_gone_or_new() -> None:
    assert stale({"n01": PLANNED}, {"n02": PLANNED}) == (
        "n01: it is no node of this plan any more; n02: it is not in the plan"
    )
