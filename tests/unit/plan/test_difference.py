"""Two JSON-shaped values, compared field by field."""

from __future__ import annotations

import pytest

from drydock.plan.difference import ABSENT, CHANGED, Change, Comparison, shown


def changes(old: object, new: object) -> list[tuple[str, object, object]]:
    return [(".".join(change.path), change.old, change.new) for change in Comparison().changes(old, new)]


def test_each_field_that_differs_is_named() -> None:
    old = {"a": 1, "b": {"c": "x", "d": [1, 2]}, "gone": True}
    new = {"a": 1, "b": {"c": "y", "d": [2, 1]}, "new": {}}
    assert changes(old, new) == [
        ("b.c", "x", "y"),
        ("b.d", [1, 2], [2, 1]),
        ("gone", True, ABSENT),
        ("new", ABSENT, {}),
    ]


def test_a_missing_field_and_null_are_the_same() -> None:
    assert changes({"a": None}, {}) == changes({}, {"a": None}) == []


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, False), ("1", 1), (None, False), ([], None), ({}, [])])
def test_values_of_other_types_differ(old: object, new: object) -> None:
    assert changes({"a": old}, {"a": new}) == [("a", old, new)]


def test_a_shared_pair_is_compared_once_and_found_for_each() -> None:
    old, new = {"mtu": 1500}, {"mtu": 9000}
    comparison = Comparison()
    first = comparison.changes({"x": old}, {"x": new})
    second = comparison.changes({"y": old}, {"y": new})
    assert [first[0].path, second[0].path] == [("x", "mtu"), ("y", "mtu")]


@pytest.mark.parametrize(
    "path",
    [
        ("out_of_band", "credential"),
        ("out_of_band", "some_option_of_a_driver"),
        ("platform", "owner_data", "ldap_password"),
    ],
)
def test_of_a_secret_only_the_change_is_shown(path: tuple[str, ...]) -> None:
    seen = shown(Change(path, "hunter2", "hunter3"))
    assert (seen.old, seen.new) == (CHANGED, CHANGED)
    assert "hunter" not in repr(shown(Change(path, {"deep": "hunter2"}, ABSENT)))


def test_passwords_in_addresses_and_command_lines_are_hidden() -> None:
    change = shown(Change(("platform", "url"), "https://me:hunter2@host/x", {"line": "quiet api_key=hunter3"}))
    assert "hunter" not in repr(change)
    assert "host/x" in repr(change)
