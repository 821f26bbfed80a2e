"""DD5007: the racks of nodes have documents, if any rack has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class KnownRacks:
    code: ClassVar[str] = "DD5007"
    name: ClassVar[str] = "known-racks"
    long_name: ClassVar[str] = "Known Racks"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        if not site.racks:
            # A site without Rack documents uses rack names as labels.
            return
        unknown: dict[str, list[str]] = {}
        for node in site.nodes.values():
            if node.rack is not None and node.rack not in site.racks:
                unknown.setdefault(node.rack, []).append(node.name)
        for rack, nodes in unknown.items():
            others = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
            text = f"Rack {rack:.100} of {nodes[0]}{others} is not described by any Rack document."
            documents = (document("BaremetalNode", nodes[0]),)
            yield Finding(Level.WARNING, text, documents, missing=document("Rack", rack))
