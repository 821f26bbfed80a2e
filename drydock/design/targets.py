"""Resolves the target nodes of boot actions; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from drydock.counting import counted
from drydock.design.filters import MAX_WORK, matching, work
from drydock.errors import DesignInvalid
from drydock.model.boot_asset import BootActionDesign
from drydock.model.node import Node
from drydock.model.site import Rack


def with_targets(
    actions: Iterable[BootActionDesign], nodes: Mapping[str, Node], racks: Mapping[str, Rack]
) -> tuple[BootActionDesign, ...]:
    """Actions for all nodes share one mapping, as sites have thousands of nodes.

    Raises ``DesignInvalid`` if there are too many actions and filters for these nodes.
    """
    actions = tuple(actions)
    if sum(work(len(nodes), action.node_filter) for action in actions) > MAX_WORK:
        selecting = counted(len(actions), "boot action with its node filter is", "boot actions with node filters are")
        raise DesignInvalid(f"{selecting} too many for {counted(len(nodes), 'node')}")
    everybody = dict.fromkeys(nodes)

    def targets(action: BootActionDesign) -> Mapping[str, None]:
        if action.node_filter is None:
            return everybody
        return dict.fromkeys(matching(nodes.values(), racks, action.node_filter))

    return tuple(replace(action, target_nodes=targets(action)) for action in actions)
