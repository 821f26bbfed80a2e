"""Which nodes a filter means: the documented semantics, and a naive second implementation to agree with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.design.filters import select_nodes
from drydock.model.node import Node
from drydock.model.node_filter import Combine, NodeFilter, NodeFilterSet, parse_node_filter
from drydock.model.site import Rack, SiteDesign
from tests.factories.documents import boot_action, document, node, site


def host(name: str, tags: str = "", rack: str | None = None, **labels: str) -> Node:
    return Node(name=name, tags=tuple(tags.split()), rack=rack, owner_data=labels)


def of(*nodes: Node, **rack_labels: dict[str, str]) -> SiteDesign:
    racks = {name: Rack(name, labels=labels) for name, labels in rack_labels.items()}
    return SiteDesign(nodes={found.name: found for found in nodes}, racks=racks)


SITE = of(
    host("a", "old", "r1", color="yellow", type="virtual"),
    host("b", "new", "r1", color="blue", type="physical"),
    host("c", "old new", "r2", color="yellow", type="physical"),
    host("d"),
    r1={"power": "a"},
    r2={"power": "b"},
)


def select(filter_set_type: str, *filters: dict[str, Any]) -> str:
    return "".join(select_nodes(SITE, parse_node_filter({"filter_set_type": filter_set_type, "filter_set": filters})))


def wanting(filter_type: str, **criteria: Any) -> dict[str, Any]:
    return {"filter_type": filter_type, **criteria}


def test_no_filter_means_every_node() -> None:
    assert select_nodes(SITE, None) == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("criteria", "union", "intersection"),
    [
        ({"node_labels": {"color": "yellow", "type": "physical"}}, "abc", "c"),
        ({"node_tags": ["old", "new"]}, "abc", "c"),
        ({"node_names": ["a", "c", "x"]}, "ac", "ac"),
        ({"node_names": ["A", "c", "C"]}, "ac", "ac"),
        ({"rack_names": ["r1", "r2"]}, "abc", "abc"),
        ({"node_tags": ["old"], "node_labels": {"type": "physical"}}, "abc", "c"),
        ({"rack_labels": {"power": "b"}}, "c", "c"),
        ({"rack_labels": {"power": "b"}, "node_names": ["d"]}, "cd", ""),
        ({"rack_names": ["r1"], "node_tags": ["old"]}, "abc", "a"),
        ({"node_labels": {"color": "green"}}, "", ""),
        ({"node_names": []}, "", "abcd"),
        ({}, "", "abcd"),
    ],
)
def test_documented_cases(criteria: dict[str, Any], union: str, intersection: str) -> None:
    assert select("union", wanting("union", **criteria)) == union
    assert select("intersection", wanting("union", **criteria)) == union
    assert select("union", wanting("intersection", **criteria)) == intersection
    assert select("intersection", wanting("intersection", **criteria)) == intersection


def test_results_of_filters_are_combined() -> None:
    filters = wanting("union", node_tags=["old"]), wanting("union", rack_names=["r2"])
    assert select("union", *filters) == "ac"
    assert select("intersection", *filters) == "c"


def test_no_filters_at_all() -> None:
    assert select("union") == ""
    assert select("intersection") == "abcd"


def test_boot_actions_get_their_targets_in_site_order() -> None:
    tagged = {"metadata": {"tags": ["x"], "rack": "r"}}
    wanted = {"filter_set_type": "union", "filter_set": [wanting("union", node_names=["n1"], rack_labels={"k": 5})]}
    found = site(
        document("Rack", "r", {"labels": {"k": 5}}),
        node("n3", "10.0.0.13", **tagged),
        node("n1"),
        node("n2", "10.0.0.12"),
        boot_action("some", node_filter=wanted),
        boot_action("all"),
    )
    assert [tuple(action.target_nodes) for action in found.boot_actions] == [("n3", "n1"), ("n3", "n1", "n2")]


_few = st.sampled_from(["p", "q", "r"])
_labels = st.dictionaries(_few, _few, max_size=2)
_nodes = st.lists(
    st.builds(
        lambda name, tags, rack, labels: Node(name=name, tags=tuple(tags), rack=rack, owner_data=labels),
        st.sampled_from(["n1", "n2", "n3", "n4"]),
        st.lists(_few, max_size=3),
        st.none() | _few,
        _labels,
    ),
    unique_by=lambda found: found.name,
)
_lists = st.lists(_few, max_size=2).map(tuple)
_filter = st.builds(
    NodeFilter,
    st.sampled_from(Combine),
    node_names=st.lists(st.sampled_from(["n1", "n2", "x"]), max_size=2).map(tuple),
    node_tags=_lists,
    node_labels=_labels,
    rack_names=_lists,
    rack_labels=_labels,
)


def naive(found: SiteDesign, node_filter: NodeFilterSet) -> list[str]:
    """By sets of names, one for each value that is asked for."""
    nodes, everybody = found.nodes.values(), set(found.nodes)

    def of_rack(item: Node) -> dict[str, str]:
        rack = found.racks.get(item.rack or "")
        return {} if rack is None else dict(rack.labels)

    results = []
    for one in node_filter.filters:
        wanted = [{n.name for n in nodes if tag in n.tags} for tag in one.node_tags]
        wanted += [{n.name for n in nodes if (k, v) in n.owner_data.items()} for k, v in one.node_labels.items()]
        wanted += [{n.name for n in nodes if (k, v) in of_rack(n).items()} for k, v in one.rack_labels.items()]
        if one.node_names:
            wanted.append({n.name for n in nodes if n.name in one.node_names})
        if one.rack_names:
            wanted.append({n.name for n in nodes if n.rack in one.rack_names})
        results.append(combined(one.combine, wanted, everybody))
    chosen = combined(node_filter.combine, results, everybody)
    return [name for name in found.nodes if name in chosen]


def combined(combine: Combine, sets: list[set[str]], everybody: set[str]) -> set[str]:
    return set().union(*sets) if combine is Combine.UNION else everybody.intersection(*sets)


@settings(deadline=None)
@given(_nodes, st.dictionaries(_few, _labels), st.sampled_from(Combine), st.lists(_filter, max_size=3))
def test_agrees_with_a_naive_implementation(
    nodes: list[Node], racks: dict[str, dict[str, str]], combine: Combine, filters: list[NodeFilter]
) -> None:
    found = of(*nodes, **racks)
    node_filter = NodeFilterSet(combine, tuple(filters))
    assert list(select_nodes(found, node_filter)) == naive(found, node_filter)
