"""DD5002."""

from __future__ import annotations

from tests.factories.documents import Body, compiled, link, network, node, warnings

DHCP = [{"network": "pxe", "address": "dhcp"}]
RANGE = [{"type": "dhcp", "start": "10.0.0.100", "end": "10.0.0.199"}]
NATIVE = {"mode": "disabled", "default_network": "pxe"}
ON_PXE: Body = {"eth0": {"device_link": "pxe", "networks": ["pxe"]}}


def test_there_is_a_range() -> None:
    design = compiled(network(ranges=RANGE), link(trunking=NATIVE), node(addressing=DHCP, interfaces=ON_PXE))
    assert warnings(design, "DD5002") == []


def test_others_look_after_the_network() -> None:
    labelled = network(labels={"noconfig": "enabled"})
    assert warnings(compiled(labelled, node(addressing=DHCP)), "DD5002") == []


def test_no_range_for_those_who_ask() -> None:
    design = compiled(node("n1", addressing=DHCP), node("n2", addressing=DHCP))
    assert design.valid
    assert warnings(design, "DD5002") == [
        "DHCP Ranges: Network pxe has no dhcp range, but n1 and 1 more asks for an address by DHCP."
    ]


def test_no_range_to_boot_from() -> None:
    design = compiled(link(trunking=NATIVE), node(interfaces=ON_PXE))
    assert warnings(design, "DD5002") == [
        "DHCP Ranges: Network pxe has no dhcp range, and n1 can boot from no other network."
    ]
