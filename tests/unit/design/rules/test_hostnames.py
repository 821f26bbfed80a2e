"""DD3003."""

from __future__ import annotations

import pytest

from tests.factories.documents import compiled, errors, network, node


@pytest.mark.parametrize("name", ["n1", "N-1", "a" * 63, "cab23-r720-12", "a.b"])
def test_valid(name: str) -> None:
    assert compiled(node(name)).valid


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("bad__name", "bad__name"),
        ("a" * 64, "a" * 64),
        ("a..b", ""),
        ("é", "é"),
        ("-n01", "-n01"),
        ("n02-", "n02-"),
        (".n1", ""),
        ("n1 ", "n1 "),
        ("n1.-x", "-x"),
    ],
)
def test_invalid(name: str, label: str) -> None:
    design = compiled(node(name))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule) == ("DD3003", "hostname-validity")
    assert found.message == f"Hostname Validity: FQDN {name}.local is invalid - label '{label}' is invalid."


def test_too_long() -> None:
    design = compiled(network(dns={"domain": ".".join(["a" * 60] * 5)}), node(primary_network="pxe"))
    assert len(errors(design)) == 1
    assert errors(design)[0].endswith("is invalid - greater than 253 characters.")


@pytest.mark.parametrize(("first", "second"), [("n01", "N01"), ("Rack-A", "rack-a"), ("a.B", "A.b")])
def test_names_that_are_one_to_dns(first: str, second: str) -> None:
    design = compiled(node(first), node(second, "10.0.0.12"))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, [document.name for document in found.documents]) == ("DD3003", [first, second])
    assert f"{first} and {second} are one host name" in found.message


def test_full_names_that_are_one() -> None:
    design = compiled(
        network(dns={"domain": "b.local"}),
        node("a", primary_network="pxe"),
        node("a.b", "10.0.0.12", primary_network=None),
    )
    assert "a and a.b are one host name" in errors(design)[0]


def test_the_longest() -> None:
    domain = ".".join(["a" * 62] * 4)
    assert compiled(network(dns={"domain": domain}), node("n", primary_network="pxe")).valid
    assert not compiled(network(dns={"domain": domain + "a"}), node("n", primary_network="pxe")).valid
