"""DD4001, Valid IPMI Configuration."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, codes, compiled, errors, node

OOB = {"type": "ipmi", "network": "pxe", "account": "root", "credential": "secret"}


@pytest.mark.parametrize("oob", [OOB, {"type": "manual"}, {}])
def test_complete(oob: Body) -> None:
    assert compiled(node(oob=oob)).valid


@pytest.mark.parametrize("key", ["network", "account", "credential"])
def test_a_parameter_missing(key: str) -> None:
    design = compiled(node(oob={name: value for name, value in OOB.items() if name != key}))
    assert codes(design) == ["DD4001"]
    assert errors(design) == [f"Valid IPMI Configuration: OOB parameter {key} missing for IPMI node n1."]


def test_dhcp_is_no_address_and_no_secret_is_told() -> None:
    design = compiled(node(oob=OOB, addressing=[{"network": "pxe", "address": "dhcp"}]))
    assert errors(design) == ["Valid IPMI Configuration: OOB address missing for IPMI node n1."]
    assert "secret" not in repr(design.messages)
