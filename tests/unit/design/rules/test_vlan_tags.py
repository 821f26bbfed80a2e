"""DD5009."""

from __future__ import annotations

import pytest

from tests.factories.documents import compiled, link, network, node, warnings

TRUNK = {"mode": "802.1q"}


def test_tagged_or_default() -> None:
    trunk = link(allowed_networks=["pxe", "oam"], trunking={**TRUNK, "default_network": "pxe"})
    design = compiled(trunk, network(), network("oam", cidr="10.1.0.0/24", vlan="4094"), node())
    assert warnings(design, "DD5009") == []


@pytest.mark.parametrize("vlan", ["0", "4095", "x", "", "²"])
def test_no_tag(vlan: str) -> None:
    (text,) = warnings(compiled(network(vlan=vlan), node()), "DD5009")
    assert "is not a number from 1 to 4094" in text


def test_untagged_or_shared_on_a_trunk() -> None:
    design = compiled(
        link(allowed_networks=["pxe", "a", "b"], trunking=TRUNK),
        network(),
        network("a", cidr="10.1.0.0/24", vlan="7"),
        network("b", cidr="10.2.0.0/24", vlan="7"),
        node(),
    )
    assert design.valid
    assert warnings(design, "DD5009") == [
        "VLAN Tags: Network pxe has no vlan, but link pxe is a trunk on which it is not the default.",
        "VLAN Tags: Networks a and b have the same VLAN tag 7 on pxe.",
    ]
