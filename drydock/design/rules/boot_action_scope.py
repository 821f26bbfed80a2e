"""DD4001 (Bootaction Definition): every node has a boot action, and every boot action a node; warnings only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding, document
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class BootActionScope:
    code: ClassVar[str] = "DD4001"
    name: ClassVar[str] = "bootaction-scope"
    long_name: ClassVar[str] = "Bootaction Definition"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        targets = {id(action.target_nodes): action.target_nodes for action in site.boot_actions}
        in_scope = {node for nodes in targets.values() for node in nodes}
        for node in site.nodes:
            if node not in in_scope:
                text = f"Node {NODE} is not in scope for any bootactions."
                yield Finding(Level.WARNING, text, kinds=("BootAction", "Rack"), node=node)
        for action in site.boot_actions:
            if site.nodes and not action.target_nodes:
                text = f"Bootaction {action.name} selects no node."
                documents = (document("BootAction", action.name),)
                yield Finding(Level.WARNING, text, documents, kinds=("BaremetalNode", "Rack"))
