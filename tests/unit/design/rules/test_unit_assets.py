"""DD5021."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.documents import Body, boot_action, codes, compiled, node, warnings

INSTALL = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
PLAIN = "[Service]\nExecStart=/bin/true\n"


def unit(name: str, data: str = INSTALL, **more: Any) -> Body:
    path = name if name.startswith("/") else f"/etc/systemd/system/{name}"
    return {"type": "unit", "path": path, "data": data, "data_pipeline": [], **more}


def found(*assets: Body) -> list[str]:
    design = compiled(node(), boot_action("a", signaling=False, assets=list(assets)))
    assert codes(design) == []
    return [text.removeprefix("Unit Assets: Bootaction a: ") for text in warnings(design, "DD5021")]


@pytest.mark.parametrize(
    "assets",
    [
        [unit("a.service")],
        [unit("/usr/lib/systemd/system/a.mount")],
        [unit("worker@.service", PLAIN)],
        [unit("worker@1.service")],
        [unit("ssh.service.d/10-limits.conf", PLAIN)],
        [unit("a.service", PLAIN), unit("a.timer")],
        [unit("a.service", PLAIN), unit("b.service", INSTALL + "[Unit]\nWants=a.service\n")],
        [unit("a.service", PLAIN, enable=False)],
        [unit("a.service", PLAIN, enable=True)],
    ],
)
def test_units_that_systemd_can_do_something_with(assets: list[Body]) -> None:
    assert found(*assets) == []


def test_others() -> None:
    assert found(unit("/opt/a.service")) == [
        "/opt/a.service is in no directory where systemd looks for units, such as /etc/systemd/system."
    ]
    assert "does not have a unit's name" in found(unit("a.conf"))[0]
    assert "cannot be enabled" in found(unit("worker@.service", enable=True))[0]
    assert "cannot be enabled" in found(unit("a.service.d/b.conf", enable=True))[0]
    assert "has no [Install] section" in found(unit("a.service", PLAIN))[0]


def test_only_a_unit_is_enabled() -> None:
    design = compiled(node(), boot_action("a", assets=[{"type": "file", "path": "/a", "data": "x", "enable": True}]))
    assert codes(design) == ["DD000"]
