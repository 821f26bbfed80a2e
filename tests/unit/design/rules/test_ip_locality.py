"""DD2002, IP Locality Check."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.documents import codes, compiled, errors, network, node

ROUTE = {"subnet": "0.0.0.0/0", "gateway": "10.0.0.1", "metric": 1}


def test_all_within() -> None:
    design = compiled(network(routes=[ROUTE]), node(addressing=[{"network": "pxe", "address": "dhcp"}]), node("n2"))
    assert design.valid
    assert "IP Locality Check: Validation successful." in [message.message for message in design.messages]


@pytest.mark.parametrize(
    ("route", "text"),
    [
        ({"gateway": None}, "No gateway found for route 0.0.0.0/0 of pxe."),
        (
            {"gateway": "10.9.0.1"},
            "The gateway IP Address 10.9.0.1 is not within the defined CIDR: 10.0.0.0/24 of pxe.",
        ),
        ({"gateway": "fd00::1"}, "The gateway IP Address fd00::1 is not within the defined CIDR: 10.0.0.0/24 of pxe."),
        ({"gateway": "somewhere"}, "The gateway somewhere of pxe is not an IP address."),
    ],
)
def test_gateways(route: dict[str, Any], text: str) -> None:
    wrong = {key: value for key, value in {**ROUTE, **route}.items() if value is not None}
    design = compiled(network(routes=[wrong]), node())
    assert codes(design) == ["DD2002"]
    assert errors(design) == [f"IP Locality Check: {text}"]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("10.9.0.1", "The IP Address 10.9.0.1 is not within the defined CIDR: 10.0.0.0/24 of pxe ."),
        ("fd00::1", "The IP Address fd00::1 is not within the defined CIDR: 10.0.0.0/24 of pxe ."),
        ("10.0.0.1/24", "The IP Address 10.0.0.1/24 of n1 on pxe is not one."),
        ("010.0.0.1", "The IP Address 010.0.0.1 of n1 on pxe is not one."),
    ],
)
def test_addresses(address: str, text: str) -> None:
    design = compiled(node(address=address))
    assert errors(design) == [f"IP Locality Check: {text}"]
    (found,) = [message for message in design.messages if message.error]
    assert found.documents[0].name == "n1"


def test_unknown_network() -> None:
    design = compiled(node(addressing=[{"network": "nowhere", "address": "10.0.0.1"}]))
    assert errors(design) == ["IP Locality Check: nowhere is not a valid network."]


def test_a_cidr_that_is_none_is_said_once_by_its_own_rule() -> None:
    assert codes(compiled(network(cidr="nonsense", routes=[ROUTE]), node())) == ["DD2006"]
