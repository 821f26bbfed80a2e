"""DD5003."""

from __future__ import annotations

import pytest

from tests.factories.documents import compiled, network, node, warnings

RANGES = [
    {"type": "static", "start": "10.0.0.10", "end": "10.0.0.20"},
    {"type": "static", "start": "10.0.0.30", "end": "10.0.0.30"},
    {"type": "dhcp", "start": "10.0.0.100", "end": "10.0.0.199"},
]


@pytest.mark.parametrize("address", ["10.0.0.10", "10.0.0.20", "10.0.0.30"])
def test_inside(address: str) -> None:
    assert warnings(compiled(network(ranges=RANGES), node(address=address)), "DD5003") == []


def test_no_static_range_no_rule() -> None:
    assert warnings(compiled(network(ranges=RANGES[2:]), node(address="10.0.0.5")), "DD5003") == []


@pytest.mark.parametrize(
    ("address", "text"), [("10.0.0.9", "outside the static ranges"), ("10.0.0.100", "in a dhcp range")]
)
def test_outside(address: str, text: str) -> None:
    design = compiled(network(ranges=RANGES), node(address=address))
    assert design.valid
    assert warnings(design, "DD5003") == [f"Static Ranges: The IP Address {address} of n1 is {text} of pxe."]
