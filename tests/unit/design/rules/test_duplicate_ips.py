"""DD2005."""

from __future__ import annotations

from tests.factories.documents import codes, compiled, network, node

DHCP = [{"network": "pxe", "address": "dhcp"}]


def test_no_duplicates() -> None:
    assert compiled(node("n1", "10.0.0.1"), node("n2", "10.0.0.2"), node("n3", addressing=DHCP * 2)).valid


def test_on_two_nodes() -> None:
    design = compiled(node("n1", "10.0.0.1"), node("n2", "10.0.0.1"))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.message) == ("DD2005", "Duplicated IP Check: Duplicate IP Address Found: 10.0.0.1 ")
    assert [item.name for item in found.documents] == ["n1", "n2"]


def test_twice_on_one_node() -> None:
    design = compiled(node(addressing=[{"network": "pxe", "address": "10.0.0.1"}] * 2))
    (found,) = [message for message in design.messages if message.error]
    assert [item.name for item in found.documents] == ["n1"]


def test_one_address_in_two_spellings() -> None:
    six = network(cidr="fd00::/64")
    assert codes(compiled(six, node("n1", "fd00::1"), node("n2", "fd00:0:0::1"))) == ["DD2005"]
