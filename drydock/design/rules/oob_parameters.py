"""DD5023: a node's driver knows the parameters in the node's ``oob``, and they are valid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding
from drydock.design.similar import did_you_mean
from drydock.model.message import Level
from drydock.model.node import Node
from drydock.model.oob_parameters import COMMON, KNOWN, fault
from drydock.model.site import SiteDesign


class OobParameters:
    code: ClassVar[str] = "DD5023"
    name: ClassVar[str] = "oob-parameters"
    long_name: ClassVar[str] = "OOB Parameters"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for node in site.nodes.values():
            if node.oob_type is not None and node.oob_type in KNOWN:
                yield from _check(node, node.oob_type)


def _check(node: Node, driver: str) -> Iterator[Finding]:
    """No value is shown: it may be a password under a misspelt key."""
    known = (*COMMON, *KNOWN[driver])
    for key, value in node.oob_parameters.items():
        if key not in known:
            text = f"oob.{key:.100} of BaremetalNode {NODE} has no effect: {driver} does not know it"
            hint = f"Use one of {', '.join(known)}."
            yield Finding(Level.WARNING, f"{text}{did_you_mean(key, known)}", diagnostic=hint, node=node.name)
            continue
        wrong = fault(key, value)
        if wrong:
            yield Finding(Level.ERROR, f"oob.{key} of BaremetalNode {NODE} {wrong}.", node=node.name)
