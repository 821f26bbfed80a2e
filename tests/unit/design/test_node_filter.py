"""Node filters as clients and designs write them."""

from __future__ import annotations

from typing import Any

import pytest

from drydock.errors import InvalidInput
from drydock.model.node_filter import Combine, NodeFilter, NodeFilterSet, parse_node_filter


def test_null_is_no_filter() -> None:
    assert parse_node_filter(None) is None


def test_everything_shipyard_sends() -> None:
    empty = {"filter_type": "intersection", "node_names": [], "node_tags": [], "node_labels": {}, "rack_names": []}
    names = {"filter_type": "union", "node_names": ["n1", "n2"], "rack_labels": None, "node_tags": None}
    assert parse_node_filter({"filter_set_type": "union", "filter_set": [empty, names]}) == NodeFilterSet(
        Combine.UNION, (NodeFilter(Combine.INTERSECTION), NodeFilter(Combine.UNION, node_names=("n1", "n2")))
    )


@pytest.mark.parametrize("filter_set", [[], None])
def test_an_empty_set(filter_set: object) -> None:
    found = parse_node_filter({"filter_set_type": "intersection", "filter_set": filter_set})
    assert found == NodeFilterSet(Combine.INTERSECTION)


def test_label_values_match_by_their_text() -> None:
    body = {"filter_type": "union", "node_labels": {"a": 1, "b": True, "c": "x"}}
    found = parse_node_filter({"filter_set_type": "union", "filter_set": [body]})
    assert found is not None
    assert found.filters[0].node_labels == {"a": "1", "b": "True", "c": "x"}


def one(**body: Any) -> dict[str, Any]:
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", **body}]}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("all", "node_filter"),
        ([], "node_filter"),
        ({}, "node_filter.filter_set_type"),
        ({"filter_set_type": "both", "filter_set": []}, "node_filter.filter_set_type"),
        ({"filter_set_type": ["union"], "filter_set": []}, "node_filter.filter_set_type"),
        ({"filter_set_type": "union"}, "node_filter.filter_set"),
        ({"filter_set_type": "union", "filter_set": {}}, "node_filter.filter_set"),
        ({"filter_set_type": "union", "filter_set": [], "x": 1}, "node_filter.x"),
        ({"filter_set_type": "union", "filter_set": [5]}, "node_filter.filter_set[0]"),
        ({"filter_set_type": "union", "filter_set": [{}]}, "node_filter.filter_set[0].filter_type"),
        (one(filter_type="some"), "node_filter.filter_set[0].filter_type"),
        (one(node_name=["n1"]), "node_filter.filter_set[0].node_name"),
        (one(node_names="n1"), "node_filter.filter_set[0].node_names"),
        (one(node_tags=["a", 5]), "node_filter.filter_set[0].node_tags[1]"),
        (one(node_labels=["a"]), "node_filter.filter_set[0].node_labels"),
        (one(rack_labels={"a": []}), "node_filter.filter_set[0].rack_labels.a"),
    ],
)
def test_errors_name_the_field(value: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_node_filter(value)
    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field}: ")
