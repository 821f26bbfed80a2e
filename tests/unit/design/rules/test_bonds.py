"""DD1006."""

from __future__ import annotations

import pytest

from tests.factories.documents import codes, compiled, errors, link, node, warnings


@pytest.mark.parametrize("mode", ["disabled", "802.3ad", "active-backup", "balance-rr", "balanced-rr"])
def test_every_mode_validates(mode: str) -> None:
    design = compiled(link(bonding={"mode": mode}), node())
    assert design.valid
    assert warnings(design, "DD1006") == []
    equal = {"mode": mode, "mon_rate": 100, "up_delay": 100, "down_delay": 100}
    assert compiled(link(bonding=equal), node()).valid


def test_delays_shorter_than_the_rate() -> None:
    bonding = {"mode": "802.3ad", "mon_rate": 100, "up_delay": 50, "down_delay": 99}
    design = compiled(link(bonding=bonding), node())
    assert codes(design) == ["DD1006", "DD1006"]
    assert errors(design)[0] == ("Network Bond Rationality: Up delay 50 is less than mon rate 100 on Network Link pxe")


def test_in_other_modes_it_is_a_warning() -> None:
    design = compiled(link(bonding={"mode": "active-backup", "down_delay": 10}), node())
    assert design.valid
    assert len(warnings(design, "DD1006")) == 1
