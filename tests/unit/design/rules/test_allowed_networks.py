"""DD1007."""

from __future__ import annotations

from tests.factories.documents import codes, compiled, errors, link, network, node


def interface(device_link: str | None, *networks: str) -> dict[str, object]:
    body = {"device_link": device_link, "networks": list(networks)}
    return {key: value for key, value in body.items() if value is not None}


def test_allowed() -> None:
    assert compiled(node(interfaces={"eth0": interface("pxe", "pxe"), "sriov0": {}, "eth1": interface("gone")})).valid


def test_a_network_on_two_links() -> None:
    design = compiled(link("pxe"), link("other", allowed_networks=["x", "pxe", "x"]), node())
    (found,) = [message for message in design.messages if message.error]
    assert found.code == "DD1007"
    assert found.message == (
        "Allowed Network Check: Allowed network pxe duplicated on NetworkLink pxe and NetworkLink other"
    )
    assert [item.name for item in found.documents] == ["pxe", "other"]


def test_a_network_that_the_link_does_not_allow() -> None:
    design = compiled(network(), network("oam"), link(), node(interfaces={"eth0": interface("pxe", "pxe", "oam")}))
    assert errors(design) == ["Allowed Network Check: Interface eth0: network oam is not allowed on network link pxe."]


def test_no_such_link() -> None:
    design = compiled(node(interfaces={"a": interface("gone", "pxe"), "b": interface(None, "pxe")}))
    assert codes(design) == ["DD1007", "DD1007"]
    assert errors(design) == [
        "Allowed Network Check: Interface a connected to undefined network link gone.",
        "Allowed Network Check: Interface b connected to undefined network link None.",
    ]
