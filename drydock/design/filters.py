"""Node filters applied to a site, as documented: all values of a filter are combined by its type; pure.

In an intersection a node must have every tag and every label, and its name and rack must be among those listed (no node
has two names). In a union any one value is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from drydock.errors import InvalidInput
from drydock.model.node import Node
from drydock.model.node_filter import Combine, NodeFilter, NodeFilterSet
from drydock.model.site import Rack, SiteDesign

#: How often a node may be compared with something, all in all.
MAX_WORK = 5_000_000
_Test = Callable[[Node], bool]


def select_nodes(site: SiteDesign, node_filter: NodeFilterSet | None) -> tuple[str, ...]:
    """Names of the nodes meant, in site order. No filter means every node. Raises ``InvalidInput``."""
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
    """How many comparisons it takes to select among ``nodes``."""
    filters = node_filter.filters if node_filter is not None else ()
    return nodes * (1 + sum(1 + len(one.node_labels) + len(one.rack_labels) for one in filters))


def _test(one: NodeFilter, racks: Mapping[str, Rack]) -> _Test:
    labels, rack_labels = one.node_labels.items(), one.rack_labels.items()
    names, tags, rack_names = frozenset(one.node_names), frozenset(one.node_tags), frozenset(one.rack_names)

    def labels_of_rack(node: Node) -> Mapping[str, str]:
        rack = racks.get(node.rack) if node.rack is not None else None
        return rack.labels if rack is not None else {}

    def union(node: Node) -> bool:
        return (
            node.name in names
            or node.rack in rack_names
            or not tags.isdisjoint(node.tags)
            or any(node.owner_data.get(key) == value for key, value in labels)
            or any(labels_of_rack(node).get(key) == value for key, value in rack_labels)
        )

    def intersection(node: Node) -> bool:
        return (
            (not names or node.name in names)
            and (not rack_names or node.rack in rack_names)
            and tags.issubset(node.tags)
            and all(node.owner_data.get(key) == value for key, value in labels)
            and all(labels_of_rack(node).get(key) == value for key, value in rack_labels)
        )

    return union if one.combine is Combine.UNION else intersection
