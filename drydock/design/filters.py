"""Applies node filters to a site: all values of a filter are combined by its type; pure.

In an intersection a node must have every tag and every label, and its name and rack must be among those listed (no node
has two names). In a union any one value is enough. Names of nodes are compared as in DNS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches

from drydock.errors import InvalidInput
from drydock.model.node import Node
from drydock.model.node_filter import Combine, NodeFilter, NodeFilterSet
from drydock.model.site import Rack, SiteDesign

#: Maximum number of comparisons.
MAX_WORK = 5_000_000
_Test = Callable[[Node], bool]
#: Names listed in one warning.
_LISTED = 10


def select_nodes(site: SiteDesign, node_filter: NodeFilterSet | None) -> tuple[str, ...]:
    """Names of the selected nodes, in site order. No filter selects every node. Raises ``InvalidInput``."""
    return matching(site.nodes.values(), site.racks, node_filter)


def matching(nodes: Iterable[Node], racks: Mapping[str, Rack], node_filter: NodeFilterSet | None) -> tuple[str, ...]:
    """As ``select_nodes``, for a site that is not complete yet."""
    nodes = list(nodes)
    if work(len(nodes), node_filter) > MAX_WORK:
        raise InvalidInput("has too many filters or labels for this many nodes", field="node_filter")
    if node_filter is None:
        return tuple(node.name for node in nodes)
    tests = [_test(one, racks) for one in node_filter.filters]
    combine = all if node_filter.combine is Combine.INTERSECTION else any
    return tuple(node.name for node in nodes if combine(test(node) for test in tests))


def work(nodes: int, node_filter: NodeFilterSet | None) -> int:
    """Number of comparisons needed to select among ``nodes``."""
    filters = node_filter.filters if node_filter is not None else ()
    return nodes * (1 + sum(1 + len(one.node_labels) + len(one.rack_labels) for one in filters))


def _test(one: NodeFilter, racks: Mapping[str, Rack]) -> _Test:
    labels, rack_labels = one.node_labels.items(), one.rack_labels.items()
    names = frozenset(name.lower() for name in one.node_names)
    tags, rack_names = frozenset(one.node_tags), frozenset(one.rack_names)

    def labels_of_rack(node: Node) -> Mapping[str, str]:
        rack = racks.get(node.rack) if node.rack is not None else None
        return rack.labels if rack is not None else {}

    def union(node: Node) -> bool:
        return (
            node.name.lower() in names
            or node.rack in rack_names
            or not tags.isdisjoint(node.tags)
            or any(node.owner_data.get(key) == value for key, value in labels)
            or any(labels_of_rack(node).get(key) == value for key, value in rack_labels)
        )

    def intersection(node: Node) -> bool:
        return (
            (not names or node.name.lower() in names)
            and (not rack_names or node.rack in rack_names)
            and tags.issubset(node.tags)
            and all(node.owner_data.get(key) == value for key, value in labels)
            and all(labels_of_rack(node).get(key) == value for key, value in rack_labels)
        )

    return union if one.combine is Combine.UNION else intersection


def unknown_criteria(site: SiteDesign, node_filter: NodeFilterSet | None) -> tuple[str, ...]:
    """A sentence for each kind of criterion with names that the design does not have."""
    filters = () if node_filter is None else node_filter.filters
    nodes = site.nodes.values()
    folded = {name.lower() for name in site.nodes}
    racks = {*site.racks, *(node.rack for node in nodes if node.rack is not None)}
    kinds = (
        ("node", [name for one in filters for name in one.node_names if name.lower() not in folded], set(site.nodes)),
        ("rack", [name for one in filters for name in one.rack_names], racks),
        ("node with tag", [tag for one in filters for tag in one.node_tags], {tag for n in nodes for tag in n.tags}),
        ("node with label", _pairs(one.node_labels for one in filters), set(_pairs(n.owner_data for n in nodes))),
        ("rack with label", _pairs(f.rack_labels for f in filters), set(_pairs(r.labels for r in site.racks.values()))),
    )
    return tuple(sentence for kind, asked, known in kinds for sentence in _unknown(kind, asked, known))


def _pairs(labels: Iterable[Mapping[str, str]]) -> list[str]:
    return [f"{key}={value}" for mapping in labels for key, value in mapping.items()]


def _unknown(kind: str, asked: Iterable[str], known: Collection[str]) -> Iterable[str]:
    unknown = [name for name in dict.fromkeys(asked) if name not in known]
    if not unknown:
        return
    listed = ", ".join(unknown[:_LISTED]) + (f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else "")
    close = get_close_matches(unknown[0], known, n=1) if len(unknown) == 1 else []
    yield f"the node filter: the design has no {kind} {listed}" + (f"; did you mean {close[0]}?" if close else "")
