"""DD4001 (Valid IPMI Configuration): a node has all parameters needed to reach its BMC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding
from drydock.model.message import Level
from drydock.model.node import Node
from drydock.model.site import SiteDesign

_NEEDED = ("account", "credential", "network")


class IpmiConfiguration:
    code: ClassVar[str] = "DD4001"
    name: ClassVar[str] = "ipmi-configuration"
    long_name: ClassVar[str] = "Valid IPMI Configuration"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for node in site.nodes.values():
            if node.oob_type == "ipmi":
                yield from _check(node)


def _check(node: Node) -> Iterator[Finding]:
    for key in _NEEDED:
        if not node.oob_parameters.get(key):
            yield Finding(Level.ERROR, f"OOB parameter {key} missing for IPMI node {NODE}.", node=node.name)
    network = node.oob_parameters.get("network")
    if network and node.static_address(network) is None:
        # A DHCP address is unknown in advance, so it counts as missing.
        yield Finding(Level.ERROR, f"OOB address missing for IPMI node {NODE}.", node=node.name)
