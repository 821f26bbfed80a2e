"""DD3003."""

from __future__ import annotations

import pytest

from tests.unit.design.documents import compiled, errors, network, node


@pytest.mark.parametrize("name", ["n1", "N-1", "a" * 63, "cab23-r720-12", "a.b"])
def test_valid(name: str) -> None:
    assert compiled(node(name)).valid


@pytest.mark.parametrize(
    ("name", "label"), [("bad__name", "bad__name"), ("a" * 64, "a" * 64), ("a..b", ""), ("é", "é")]
)
def test_invalid(name: str, label: str) -> None:
    design = compiled(node(name))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule) == ("DD3003", "hostname-validity")
    assert found.message == f"Hostname Validity: FQDN {name}.local is invalid - label '{label}' is invalid."


def test_too_long() -> None:
    design = compiled(network(dns={"domain": ".".join(["a" * 60] * 5)}), node(primary_network="pxe"))
    assert len(errors(design)) == 1
    assert errors(design)[0].endswith("is invalid - greater than 255 characters.")
