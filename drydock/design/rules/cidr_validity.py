"""DD2006: a network's CIDR is valid and has no host bits."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class CidrValidity:
    code: ClassVar[str] = "DD2006"
    name: ClassVar[str] = "cidr-validity"
    long_name: ClassVar[str] = "CIDR Validity"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        if not site.networks:
            yield Finding(Level.WARNING, "No networks found.", kinds=("Network",))
        for network in site.networks.values():
            documents = (document("Network", network.name),)
            try:
                cidr = ipaddress.ip_network(network.cidr, strict=False)
            except ValueError:
                text = f"The provided CIDR {network.cidr} is not a network address with a prefix length."
                yield Finding(Level.ERROR, text, documents, "Write it like 10.0.0.0/24 or fd00::/64.")
                continue
            if ipaddress.ip_interface(network.cidr).ip != cidr.network_address:
                text = f"The provided CIDR {network.cidr} has host bits set"
                yield Finding(Level.ERROR, text, documents, f"The network of this address is {cidr}.")
