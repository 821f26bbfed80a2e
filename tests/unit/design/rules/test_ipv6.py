"""IPv6, in all rules that look at addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.documents import Body, compiled, errors, link, network, node, warnings

ROUTE = {"subnet": "::/0", "gateway": "fe80::1", "metric": 10}
INTERFACE = {"eth0": {"device_link": "pxe", "networks": ["pxe", "pxe6"]}}
BOTH = [{"network": "pxe", "address": "10.0.0.11"}, {"network": "pxe6", "address": "fd00::11"}]
ADDRESS_RULES = ("DD2002", "DD2004", "DD2005", "DD5001", "DD5002", "DD5003", "DD5004", "DD5005", "DD5008", "DD5009")


def said(*documents: Body) -> list[str]:
    design = compiled(*documents)
    return [*errors(design), *(text for code in ADDRESS_RULES for text in warnings(design, code))]


@pytest.mark.parametrize("gateway", ["fe80::1", "FE80::1", "fe80:0::1", "febf::1", "fd00::1"])
def test_gateways(gateway: str) -> None:
    v6 = network("pxe6", cidr="fd00::/64", routes=[{**ROUTE, "gateway": gateway}])
    carrier = link(allowed_networks=["pxe6"], trunking={"mode": "disabled", "default_network": "pxe6"})
    addressed = node(addressing=[{"network": "pxe6", "address": "fd00::11"}])
    assert said(v6, carrier, addressed) == []


@pytest.mark.parametrize(
    ("cidr", "gateway"), [("10.0.0.0/24", "fe80::1"), ("fd00::/64", "fec0::1"), ("fd00::/64", "fe80::1%eth0")]
)
def test_gateways_that_are_none(cidr: str, gateway: str) -> None:
    assert len(errors(compiled(network("x", cidr=cidr, routes=[{**ROUTE, "gateway": gateway}])))) == 1


@pytest.mark.parametrize(
    ("vlans", "trunking"),
    [
        (("100", "100"), {"mode": "802.1q"}),
        ((None, None), {"mode": "802.1q", "default_network": "pxe"}),
        ((None, None), {"mode": "disabled", "default_network": "pxe"}),
        ((None, None), {"mode": "disabled", "default_network": "pxe6"}),
    ],
)
def test_dual_stack_on_one_vlan(vlans: tuple[str | None, str | None], trunking: dict[str, Any]) -> None:
    tags = [{} if vlan is None else {"vlan": vlan} for vlan in vlans]
    ranges = [{"type": "dhcp", "start": "10.0.0.100", "end": "10.0.0.200"}]
    ranges6 = [{"type": "dhcp", "start": "fd00::100", "end": "fd00::200"}]
    assert (
        said(
            network(
                "pxe", routes=[{"subnet": "0.0.0.0/0", "gateway": "10.0.0.1", "metric": 10}], ranges=ranges, **tags[0]
            ),
            network("pxe6", cidr="fd00::/64", routes=[ROUTE], ranges=ranges6, **tags[1]),
            link(allowed_networks=["pxe", "pxe6"], trunking=trunking),
            node(addressing=BOTH, interfaces=INTERFACE),
        )
        == []
    )


def test_two_networks_of_one_family_still_need_tags_of_their_own() -> None:
    cidrs = {"pxe": "10.0.0.0/24", "pxe6": "fd00::/64", "b": "10.1.0.0/24"}
    tagged = [network(name, cidr=cidr, vlan="7") for name, cidr in cidrs.items()]
    (found,) = warnings(compiled(*tagged, link(allowed_networks=list(cidrs))), "DD5009")
    assert "the same VLAN tag 7" in found
    untagged = [network(name, cidr=cidr) for name, cidr in cidrs.items()]
    access = link(allowed_networks=["pxe", "b"], trunking={"mode": "disabled", "default_network": "pxe"})
    assert "more than 1 allowed network" in errors(compiled(*untagged, access))[0]


@pytest.mark.parametrize(
    ("cidr", "address"), [("fd00::/127", "fd00::"), ("fd00::/127", "fd00::1"), ("fd00::5/128", "fd00::5")]
)
def test_small_networks_use_all_their_addresses(cidr: str, address: str) -> None:
    carrier = link(allowed_networks=["pxe"], trunking={"mode": "disabled", "default_network": "pxe"})
    gets = node(addressing=[{"network": "pxe", "address": address}])
    assert not errors(compiled(network("pxe", cidr=cidr), carrier, gets))


def test_one_address_in_two_spellings() -> None:
    nodes = [
        node(f"n{index}", addressing=[{"network": "pxe", "address": address}])
        for index, address in enumerate(("fd00::a", "FD00:0:0::000A"))
    ]
    assert "Duplicate IP" in errors(compiled(network("pxe", cidr="fd00::/64"), *nodes))[0]


def test_a_gateway_in_another_spelling_is_the_gateway() -> None:
    v6 = network("pxe", cidr="fd00::/64", routes=[{**ROUTE, "gateway": "fd00::0001"}])
    assert warnings(compiled(v6, node(addressing=[{"network": "pxe", "address": "FD00::1"}])), "DD5005")


def test_link_local_addresses_may_be_there_on_each_network() -> None:
    networks = [network(name, cidr="fe80::/64") for name in ("pxe", "other")]
    nodes = [
        node(name, addressing=[{"network": on, "address": "fe80::5"}]) for name, on in (("n1", "pxe"), ("n2", "other"))
    ]
    assert not errors(compiled(*networks, *nodes))
    nodes[1] = node("n2", addressing=[{"network": "pxe", "address": "fe80:0::5"}])
    assert len(errors(compiled(*networks, *nodes))) == 1
