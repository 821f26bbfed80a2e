"""DD5024."""

from __future__ import annotations

import pytest

from drydock.design.compiler import CompiledDesign
from tests.factories.documents import compiled, errors, hardware, node


def with_address(address: str) -> CompiledDesign:
    aliases = {"nic1": {"bus_type": "pci", "address": address}}
    return compiled(node(), hardware(), hardware("other", device_aliases=aliases))


@pytest.mark.parametrize("address", ["0000:02:00.0", "0000:(", r"regexp:0000:0[23]:00\.0", "regexp:"])
def test_addresses_that_can_be_used(address: str) -> None:
    assert errors(with_address(address)) == []


@pytest.mark.parametrize("pattern", ["(", "(?!0000)", "((0{100}){100}){100}"])
def test_an_expression_that_cannot_be_used_is_named_by_its_field(pattern: str) -> None:
    design = with_address(f"regexp:{pattern}")
    (message,) = errors(design)
    assert message.startswith("Device Aliases: HardwareProfile other: device_aliases.nic1.address: the regular expr")
    (found,) = [each for each in design.messages if each.code == "DD5024"]
    assert [each.name for each in found.documents] == ["other"]
