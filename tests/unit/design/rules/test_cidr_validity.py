"""DD2006."""

from __future__ import annotations

import pytest

from drydock.design.compiler import compile_design
from tests.factories.documents import compiled, network, node, warnings


@pytest.mark.parametrize("cidr", ["10.0.0.0/24", "10.0.0.0/255.255.255.0", "10.0.0.0", "fd00::/64"])
def test_networks(cidr: str) -> None:
    design = compiled(network("x", cidr=cidr), network(), node())
    assert design.valid
    assert "CIDR Validity: Validation successful." in [message.message for message in design.messages]


@pytest.mark.parametrize(
    ("cidr", "text"),
    [
        ("10.0.0.7/24", "The provided CIDR 10.0.0.7/24 has host bits set"),
        ("fd00::1/64", "The provided CIDR fd00::1/64 has host bits set"),
        ("10.0.0.0/99", "The provided CIDR 10.0.0.0/99 is not a network address with a prefix length."),
        ("192.168.0/24", "The provided CIDR 192.168.0/24 is not a network address with a prefix length."),
        ("nonsense", "The provided CIDR nonsense is not a network address with a prefix length."),
        ("", "The provided CIDR  is not a network address with a prefix length."),
    ],
)
def test_others(cidr: str, text: str) -> None:
    design = compiled(network("x", cidr=cidr), network(), node())
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule, found.message) == ("DD2006", "cidr-validity", f"CIDR Validity: {text}")
    assert [(item.schema, item.name) for item in found.documents] == [("drydock/Network/v1", "x")]
    assert "CIDR Validity: Validation successful." not in [message.message for message in design.messages]


def test_no_networks_is_a_warning_and_passes() -> None:
    design = compile_design(b"")
    assert design.valid
    assert warnings(design, "DD2006") == ["CIDR Validity: No networks found."]
    assert "CIDR Validity: Validation successful." in [message.message for message in design.messages]
