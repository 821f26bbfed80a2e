"""DD2003, MTU Rationality."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, codes, compiled, errors, link, network, node


@pytest.mark.parametrize(("of_link", "of_network"), [(1500, 1500), (9000, 1280), (65536, 65536), (0, 9000), (9000, 0)])
def test_what_fits(of_link: int, of_network: int) -> None:
    assert compiled(link(mtu=of_link), network(mtu=of_network), node()).valid


@pytest.mark.parametrize("trunking", [{"mode": "802.1q"}, {"mode": "disabled", "default_network": "pxe"}])
def test_a_network_larger_than_its_link(trunking: Body) -> None:
    design = compiled(link(mtu=1500, trunking=trunking), network(mtu=9000), node())
    assert codes(design) == ["DD2003"]
    assert errors(design) == [
        "MTU Rationality: MTU must be <= the parent Network Link; for Network pxe: 9000 is more than the 1500 of pxe."
    ]


@pytest.mark.parametrize("mtu", [1279, 65537, -1])
def test_impossible_sizes(mtu: int) -> None:
    design = compiled(link(mtu=mtu), network(), node())
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.documents[0].schema) == ("DD2003", "drydock/NetworkLink/v1")
    assert codes(compiled(network(mtu=mtu), link(mtu=0), node())) == ["DD2003"]
