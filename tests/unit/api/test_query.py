"""Query strings: known, once, of their type."""

from __future__ import annotations

from uuid import UUID

import falcon
import pytest
from falcon import testing

from drydock.api.query import Query, parse_uuid
from drydock.errors import InvalidInput

KNOWN = ("a", "b")
ID = "6f1c2b1e-3f3c-4c7e-9a55-0a4d7f0f2c11"


def query(text: str) -> Query:
    return Query(falcon.Request(testing.create_environ(query_string=text)), KNOWN)


@pytest.mark.parametrize("text", ["c=1", "A=1", "a=1&c", "%00=1"])
def test_unknown_parameters_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no parameter of this route"):
        query(text)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a: is given more than once"):
        query("a=1&a=2")


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), ("a=true", True), ("a=True", True), ("a=1", True), ("a=False", False)]
)
def test_flags_are_taken_in_any_case(text: str, expected: bool) -> None:
    assert query(text).flag("a") is expected


@pytest.mark.parametrize("text", ["a=", "a=maybe", "a=2", "a=true%00"])
def test_a_flag_is_true_or_false(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^a: "):
        query(text).flag("a")


def test_numbers_have_bounds() -> None:
    assert query("a=5").integer("a", minimum=1, maximum=10) == 5
    assert query("a=-1").integer("a", minimum=-1, maximum=10) == -1
    assert query("").integer("a", minimum=1, maximum=10) is None


@pytest.mark.parametrize("value", ["0", "-1", "11", "", "x", "1.5", "1_0", "+1", "%201", "1e1", "٣", "9" * 5000, "0x1"])
def test_other_numbers_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="a: must be a number from 1 to 10"):
        query(f"a={value}").integer("a", minimum=1, maximum=10)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "", "1e9", "x", "9" * 500])
def test_seconds_are_plain_numbers(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"^a: "):
        query(f"a={value}").seconds("a")
    assert query("a=2.5").seconds("a") == 2.5
    assert query("").seconds("a") == 0


@pytest.mark.parametrize("text", ["a=", "a=x%00", "a=x%0ay", "a=" + "x" * 2000])
def test_text_is_one_line(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^a: "):
        query(text).text("a")


def test_uuids_and_choices() -> None:
    assert query(f"a={ID}").uuid("a") == UUID(ID)
    with pytest.raises(InvalidInput, match="a: must be a UUID"):
        query("a=7").uuid("a")
    assert query("a=x").choice("a", {"x": 1}) == 1
    with pytest.raises(InvalidInput, match="a: must be one of x"):
        query("a=y").choice("a", {"x": 1})


@pytest.mark.parametrize("text", ["", "x", "{" + ID + "}", ID.replace("-", ""), "urn:uuid:" + ID, ID + "\n", ID[:-1]])
def test_a_uuid_has_one_form(text: str) -> None:
    assert parse_uuid(text) is None
    assert parse_uuid(ID.upper()) == UUID(ID)
