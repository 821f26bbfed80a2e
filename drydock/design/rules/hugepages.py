"""DD1008: the kernel parameters hugepages and hugepagesz come together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding
from drydock.model.message import Level
from drydock.model.site import SiteDesign

_PAIR = frozenset({"hugepages", "hugepagesz"})


class Hugepages:
    code: ClassVar[str] = "DD1008"
    name: ClassVar[str] = "hugepages"
    long_name: ClassVar[str] = "Hugepages"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for node in site.nodes.values():
            given = _PAIR & node.kernel_params.keys()
            if len(given) == 1:
                (lacking,) = _PAIR - given
                text = f"Invalid hugepages kernel configuration on BaremetalNode {NODE}: {lacking} is missing"
                yield Finding(Level.ERROR, text, node=node.name)
