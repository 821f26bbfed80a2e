"""DD5020: no two nodes boot from one network card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.site import SiteDesign

_SEPARATORS = re.compile(r"[:.\-\s]")
#: Ethernet; InfiniBand's, of 8 or 20 octets.
_ADDRESS = re.compile(r"(?:[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{40})", re.ASCII)


class BootMacs:
    code: ClassVar[str] = "DD5020"
    name: ClassVar[str] = "boot-macs"
    long_name: ClassVar[str] = "Boot MACs"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        owners: dict[str, str] = {}
        for node in site.nodes.values():
            if not node.boot_mac:
                continue
            mac = _SEPARATORS.sub("", node.boot_mac.lower())
            here = (document("BaremetalNode", node.name),)
            if not _ADDRESS.fullmatch(mac):
                text = f"boot_mac {node.boot_mac:.60} of {node.name} is not a MAC address."
                yield Finding(Level.WARNING, text, here, "Write it like 52:54:00:12:34:56, in quotes.")
                continue
            owner = owners.setdefault(mac, node.name)
            if owner != node.name:
                text = f"boot_mac {node.boot_mac:.60} is that of {owner} and of {node.name}."
                yield Finding(Level.ERROR, text, (document("BaremetalNode", owner), *here))
