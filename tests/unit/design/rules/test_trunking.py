"""DD2004, Network Trunking."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, compiled, errors, link, network, node


@pytest.mark.parametrize("trunking", [{"mode": "802.1q"}, {"mode": "disabled", "default_network": "pxe"}])
def test_one_network(trunking: Body) -> None:
    assert compiled(link(trunking=trunking), node()).valid


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"trunking": {"mode": "disabled"}},
            "Trunking mode is disabled, a trunking default_network must be defined; for Network Link pxe.",
        ),
        (
            {"trunking": {"default_network": "pxe"}, "allowed_networks": ["pxe", "oam"]},
            "If there is more than 1 allowed network, trunking mode must be enabled; for Network Link pxe.",
        ),
        (
            {"trunking": {"default_network": "gone"}},
            "Trunking default network gone of pxe does not exist.",
        ),
        (
            {"trunking": {"default_network": "tagged"}},
            "Network link native network has a defined VLAN tag: tagged on pxe.",
        ),
    ],
)
def test_faults(changes: Body, text: str) -> None:
    design = compiled(link(**changes), network(), network("tagged", cidr="10.1.0.0/24", vlan="7"), node())
    assert errors(design) == [f"Network Trunking Rationalty: {text}"]
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule, found.documents[0].name) == ("DD2004", "network-trunking", "pxe")
