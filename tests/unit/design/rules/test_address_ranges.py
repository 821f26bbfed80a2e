"""DD5001."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, compiled, network, node, warnings


def ranges(*found: str) -> list[Body]:
    keys = ("type", "start", "end")
    return [dict(zip(keys, item.split(), strict=False)) for item in found]


def test_ranges_side_by_side() -> None:
    good = ranges("static 10.0.0.11 10.0.0.99", "reserved 10.0.0.1 10.0.0.10", "dhcp 10.0.0.100 10.0.0.100")
    assert warnings(compiled(network(ranges=good), node()), "DD5001") == []


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (["fixed 10.0.0.1 10.0.0.2"], "has a type other than static, dhcp, reserved"),
        (["dhcp 10.0.0.9 10.0.0.2"], "does not go from one address to a higher one"),
        (["dhcp 10.0.0.9 x"], "does not go from one address to a higher one"),
        (["dhcp 10.0.0.9"], "does not go from one address to a higher one"),
        (["dhcp 10.0.0.9 fd00::1"], "does not go from one address to a higher one"),
        (["dhcp 10.0.0.9 10.0.1.1"], "is not within 10.0.0.0/24"),
        (["dhcp 10.0.0.9 10.0.0.20", "static 10.0.0.20 10.0.0.30"], "overlaps range 10.0.0.9 to 10.0.0.20 (dhcp)"),
    ],
)
def test_others_are_warnings(found: list[str], text: str) -> None:
    design = compiled(network(ranges=ranges(*found)), node())
    assert design.valid
    (warning,) = warnings(design, "DD5001")
    assert text in warning
