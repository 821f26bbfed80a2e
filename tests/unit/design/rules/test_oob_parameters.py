"""DD5023."""

from __future__ import annotations

import pytest

from tests.factories.documents import compiled, errors, node, profile, warnings

REDFISH = {"type": "redfish", "network": "pxe", "account": "root", "credential": "not-a-secret"}


def test_what_the_driver_knows() -> None:
    known = {"system": 1, "verify_tls": False, "endpoint": "https://{address}:8443/{node}", "timeout": 20}
    design = compiled(node(oob={**REDFISH, **known}))
    assert (errors(design), warnings(design, "DD5023")) == ([], [])


def test_a_key_it_does_not_know_is_told_with_those_it_knows() -> None:
    design = compiled(
        profile(oob={**REDFISH, "verfy_tls": False, "colour": "hunter2"}, storage={}),
        *(node(f"n{index}", f"10.0.0.{index + 10}", host_profile="base") for index in range(3)),
    )
    first, second = [message for message in design.messages if message.code == "DD5023" and message.level == "Warning"]
    assert "oob.verfy_tls of BaremetalNode n0, n1 and n2 has no effect" in first.message
    assert "did you mean verify_tls?" in first.message
    assert first.diagnostic.startswith(
        "Use one of type, network, account, credential, endpoint, system, verify_tls, timeout."
    )
    assert "colour" in second.message
    assert "hunter2" not in repr((first, second))


@pytest.mark.parametrize("other", ["acme", "manual"])
def test_drivers_whose_keys_are_not_known_here(other: str) -> None:
    assert warnings(compiled(node(oob={**REDFISH, "type": other, "bridging": "yes"})), "DD5023") == []


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("verify_tls", "maybe", "must be true or false"),
        ("timeout", "soon", "must be a number of seconds"),
        ("timeout", 0, "must be a number of seconds"),
        ("endpoint", "ftp://x", "must begin with http"),
        ("endpoint", "https://{host}", "the fields {address} and {node}"),
        ("endpoint", "https://{address:>999999999999999}", "the fields {address} and {node}"),
        ("endpoint", "https://{address.upper}", "the fields {address} and {node}"),
        ("system", "{node!r}", "the fields {address} and {node}"),
        ("system", "{", "the fields {address} and {node}"),
        ("system", "{}", "the fields {address} and {node}"),
    ],
)
def test_values_that_cannot_work(key: str, value: object, text: str) -> None:
    assert text in errors(compiled(node(oob={**REDFISH, key: value})))[0]
