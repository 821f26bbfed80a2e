"""DD5006."""

from __future__ import annotations

from tests.factories.documents import compiled, link, node, warnings


def test_all_known() -> None:
    found = node(primary_network="pxe", oob={"type": "manual", "network": "pxe"})
    assert warnings(compiled(found), "DD5006") == []


def test_unknown_ones() -> None:
    design = compiled(
        link(allowed_networks=["pxe", "a"]),
        node(
            primary_network="b",
            oob={"type": "manual", "network": "c"},
            addressing=[{"network": "d", "address": "dhcp"}],
            interfaces={"eth0": {"device_link": "pxe", "networks": ["a"]}},
        ),
    )
    assert design.valid
    assert warnings(design, "DD5006") == [
        "Known Networks: Network a, allowed on link pxe, does not exist.",
        "Known Networks: Network a, on interface eth0 of node n1, does not exist.",
        "Known Networks: Network b, the primary network of node n1, does not exist.",
        "Known Networks: Network c, the OOB network of node n1, does not exist.",
        "Known Networks: Network d, the network of a DHCP address of node n1, does not exist.",
    ]
