"""DD1006: a bond's delays are no shorter than its monitoring interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.network import BondMode, NetworkLink
from drydock.model.site import SiteDesign


class NetworkBonds:
    code: ClassVar[str] = "DD1006"
    name: ClassVar[str] = "network-bonds"
    long_name: ClassVar[str] = "Network Bond Rationality"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for link in site.network_links.values():
            if link.bonding.mode is not BondMode.DISABLED:
                yield from _check(link)


def _check(link: NetworkLink) -> Iterator[Finding]:
    bonding = link.bonding
    # Upstream checks 802.3ad only; for other modes the kernel silently rounds the delays down.
    level = Level.ERROR if bonding.mode is BondMode.LACP else Level.WARNING
    rate = bonding.mon_rate or 0
    for title, delay in (("Up", bonding.up_delay), ("Down", bonding.down_delay)):
        if delay is not None and delay < rate:
            text = f"{title} delay {delay} is less than mon rate {rate} on Network Link {link.name}"
            yield Finding(level, text, (document("NetworkLink", link.name),))
