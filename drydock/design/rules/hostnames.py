"""DD3003: the full name of every node is a valid host name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.node import Node
from drydock.model.site import SiteDesign

MAX_LENGTH = 255
_LABEL = re.compile(r"[a-z0-9-]{1,63}", re.IGNORECASE | re.ASCII)


class Hostnames:
    code: ClassVar[str] = "DD3003"
    name: ClassVar[str] = "hostname-validity"
    long_name: ClassVar[str] = "Hostname Validity"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for node in site.nodes.values():
            yield from _check(node)


def _check(node: Node) -> Iterator[Finding]:
    documents = (document("BaremetalNode", node.name),)
    fqdn = node.fqdn
    if len(fqdn) > MAX_LENGTH:
        yield Finding(Level.ERROR, f"FQDN {fqdn:.300} is invalid - greater than {MAX_LENGTH} characters.", documents)
    for label in fqdn.split("."):
        if not _LABEL.fullmatch(label):
            yield Finding(Level.ERROR, f"FQDN {fqdn:.300} is invalid - label '{label:.100}' is invalid.", documents)
