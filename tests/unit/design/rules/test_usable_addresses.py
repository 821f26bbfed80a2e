"""DD5004."""

from __future__ import annotations

import pytest

from tests.factories.documents import codes, compiled, errors, network, node


@pytest.mark.parametrize(
    ("cidr", "address"),
    [("10.0.0.0/24", "10.0.0.1"), ("10.0.0.0/31", "10.0.0.0"), ("10.0.0.5/32", "10.0.0.5"), ("fd00::/64", "fd00::1")],
)
def test_usable(cidr: str, address: str) -> None:
    assert compiled(network(cidr=cidr), node(address=address)).valid


@pytest.mark.parametrize(
    ("cidr", "address", "what"),
    [
        ("10.0.0.0/24", "10.0.0.0", "network address"),
        ("10.0.0.0/24", "10.0.0.255", "broadcast address"),
        ("fd00::/64", "fd00::", "network address"),
    ],
)
def test_not_usable(cidr: str, address: str, what: str) -> None:
    design = compiled(network(cidr=cidr), node(address=address))
    assert codes(design) == ["DD5004"]
    assert errors(design) == [f"Usable Addresses: The IP Address {address} of n1 is the {what} of pxe."]
