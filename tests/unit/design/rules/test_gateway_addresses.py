"""DD5005."""

from __future__ import annotations

from tests.factories.documents import compiled, network, node, warnings

ROUTES = [{"subnet": "0.0.0.0/0", "gateway": "10.0.0.1"}]


def test_a_gateway_of_its_own() -> None:
    assert warnings(compiled(network(routes=ROUTES), node(address="10.0.0.2")), "DD5005") == []


def test_a_node_at_the_gateway() -> None:
    design = compiled(network(routes=ROUTES), node(address="10.0.0.1"))
    assert design.valid
    assert warnings(design, "DD5005") == ["Gateway Addresses: The IP Address 10.0.0.1 of n1 is a gateway of pxe."]
