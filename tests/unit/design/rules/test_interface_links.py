"""DD5008."""

from __future__ import annotations

from typing import Any

from tests.factories.documents import Body, compiled, link, node, warnings

FLAT = {"mode": "disabled", "default_network": "pxe"}


def found(interface: Body, **of_link: Any) -> list[str]:
    return warnings(compiled(link(**of_link), node(interfaces={"eth0": interface})), "DD5008")


def test_on_a_link() -> None:
    assert found({"device_link": "pxe", "networks": ["pxe"]}, trunking=FLAT) == []
    assert found({"sriov": {"vf_count": 1}}) == []


def test_without() -> None:
    assert found({}) == ["Interface Links: Interface eth0 has no device_link on BaremetalNode n1"]
    assert "which does not exist" in found({"device_link": "gone"})[0]


def test_several_networks_without_trunking() -> None:
    interface = {"device_link": "pxe", "networks": ["pxe", "oam"]}
    assert len(found(interface, allowed_networks=["pxe", "oam"], trunking=FLAT)) == 1
    assert found(interface, allowed_networks=["pxe", "oam"]) == []
