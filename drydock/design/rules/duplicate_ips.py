"""DD2005: no static address twice in the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.rules.ip_numbers import identity
from drydock.model.message import Level
from drydock.model.node import STATIC
from drydock.model.site import SiteDesign


class DuplicateIps:
    code: ClassVar[str] = "DD2005"
    name: ClassVar[str] = "duplicate-ip"
    long_name: ClassVar[str] = "Duplicated IP Check"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        if not site.nodes:
            yield Finding(Level.WARNING, "No BaremetalNodes Found.", kinds=("BaremetalNode",))
        owners: dict[object, str] = {}
        for node in site.nodes.values():
            for address in node.addresses:
                if address.type != STATIC or address.address is None:
                    continue
                canonical = identity(address.address, address.network)
                if canonical in owners:
                    yield _finding(address.address, owners[canonical], node.name)
                else:
                    owners[canonical] = node.name


def _finding(address: str, owner: str, other: str) -> Finding:
    names = (owner,) if owner == other else (owner, other)
    where = f"twice on {owner}" if owner == other else f"on {owner} and {other}"
    return Finding(
        Level.ERROR,
        f"Duplicate IP Address Found: {address} ",
        tuple(document("BaremetalNode", name) for name in names),
        f"The address is {where}.",
    )
