"""DD3003: the full name of every node is a valid host name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import DocumentRef, Level
from drydock.model.node import Node
from drydock.model.site import SiteDesign

MAX_LENGTH = 253
#: RFC 1123.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)


class Hostnames:
    code: ClassVar[str] = "DD3003"
    name: ClassVar[str] = "hostname-validity"
    long_name: ClassVar[str] = "Hostname Validity"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        names: dict[str, str] = {}
        full: dict[str, str] = {}
        for node in site.nodes.values():
            yield from _check(node)
            other = full.setdefault(node.fqdn.lower(), node.name)
            if other == node.name:
                other = names.setdefault(node.name.lower(), node.name)
            if other != node.name:
                text = f"{other} and {node.name} are one host name: to DNS, capital and small letters are the same."
                yield Finding(Level.ERROR, text, _refs(other, node.name))


def _check(node: Node) -> Iterator[Finding]:
    documents = _refs(node.name)
    fqdn = node.fqdn
    if len(fqdn) > MAX_LENGTH:
        yield Finding(Level.ERROR, f"FQDN {fqdn:.300} is invalid - greater than {MAX_LENGTH} characters.", documents)
    for label in fqdn.split("."):
        if not _LABEL.fullmatch(label):
            yield Finding(Level.ERROR, f"FQDN {fqdn:.300} is invalid - label '{label:.100}' is invalid.", documents)


def _refs(*names: str) -> tuple[DocumentRef, ...]:
    return tuple(document("BaremetalNode", name) for name in names)
