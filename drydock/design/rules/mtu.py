"""DD2003 (MTU Rationality): MTUs are in range, and a network's is not larger than its link's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.site import SiteDesign

LEAST = 1280
MOST = 65536


class MtuRationality:
    code: ClassVar[str] = "DD2003"
    name: ClassVar[str] = "mtu-rationality"
    long_name: ClassVar[str] = "MTU Rationality"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for link in site.network_links.values():
            if _impossible(link.mtu):
                text = f"MTU {link.mtu} must be between {LEAST} and {MOST}; for Network Link {link.name}."
                yield Finding(Level.ERROR, text, (document("NetworkLink", link.name),))
        for network in site.networks.values():
            if _impossible(network.mtu):
                text = f"MTU {network.mtu} must be between {LEAST} and {MOST}; for Network {network.name}."
                yield Finding(Level.ERROR, text, (document("Network", network.name),))
        yield from _too_large(site)


def _impossible(mtu: int | None) -> bool:
    return bool(mtu) and not LEAST <= (mtu or 0) <= MOST


def _too_large(site: SiteDesign) -> Iterator[Finding]:
    """Checks tagged networks too, as documented; upstream Drydock checks the native one only."""
    for link in site.network_links.values():
        for name in dict.fromkeys((*link.allowed_networks, *filter(None, [link.native_network]))):
            network = site.networks.get(name)
            if network is not None and network.mtu and link.mtu and network.mtu > link.mtu:
                text = (
                    f"MTU must be <= the parent Network Link; for Network {name}: "
                    f"{network.mtu} is more than the {link.mtu} of {link.name}."
                )
                yield Finding(Level.ERROR, text, (document("Network", name), document("NetworkLink", link.name)))
