"""DD5010."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.documents import boot_action, codes, compiled, errors, node, warnings
from tests.factories.tasks import named_nodes


def file(path: str | None) -> dict[str, Any]:
    asset = {"type": "file", "data": "x", "data_pipeline": []}
    return asset if path is None else {**asset, "path": path}


def only(name: str) -> dict[str, Any]:
    return named_nodes(name)


def test_each_its_own_place() -> None:
    design = compiled(
        node("n1"),
        node("n2", "10.0.0.12"),
        boot_action("a", assets=[file("/a"), {"type": "pkg_list", "data": {"vim": None}}], node_filter=only("n1")),
        boot_action("b", assets=[file("/a")], node_filter=only("n2")),
    )
    assert warnings(design, "DD5010") == []


def test_no_place_or_one_for_two() -> None:
    design = compiled(
        node(),
        boot_action("a", assets=[file("/a"), file("/a"), file(None)]),
        boot_action("b", assets=[file("//a")]),
    )
    assert design.valid
    assert warnings(design, "DD5010") == [
        "Asset Paths: Bootaction a: /a occurs twice; the last one wins.",
        "Asset Paths: Bootaction a: assets[2] has no path and will not be delivered.",
        "Asset Paths: /a is written by bootactions a and b on n1; the last one wins.",
    ]


def unit(path: str) -> dict[str, Any]:
    return {**file(path), "type": "unit"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (file("/etc/app"), file("/etc/app/extra.conf")),
        (file("/etc/app/extra.conf"), file("/etc/app")),
        (unit("/etc/systemd/system/a.service.d/b.conf"), file("/etc/systemd/system/a.service.d")),
        (file("/opt/x"), file("/opt//x/./deep/down")),
        (file("/bin/x"), file("/usr/bin/x/y")),
    ],
)
def test_a_file_where_another_wants_a_directory(first: dict[str, Any], second: dict[str, Any]) -> None:
    for actions in (
        [boot_action("a", assets=[first, second])],
        [boot_action("a", assets=[first]), boot_action("b", assets=[second])],
    ):
        design = compiled(node("n1"), node("n2", "10.0.0.12"), *actions)
        assert codes(design) == ["DD5010"]
        assert "needs a directory there, on n1 and n2" in errors(design)[0]


def test_of_different_nodes_or_with_alike_names() -> None:
    design = compiled(
        node("n1"),
        node("n2", "10.0.0.12"),
        boot_action("a", assets=[file("/etc/app"), file("/etc/app2/x")], node_filter=only("n1")),
        boot_action("b", assets=[file("/etc/app/extra.conf")], node_filter=only("n2")),
    )
    assert codes(design) == []


@pytest.mark.parametrize("path", ["/etc", "/usr/local/bin", "/etc/systemd/system", "/x/" + "y" * 256, "/a" * 3000])
def test_a_place_where_no_file_can_be(path: str) -> None:
    assert codes(compiled(node(), boot_action("a", assets=[file(path)])))[0] in ("DD5010", "DD001")


@pytest.mark.parametrize("path", ["/etc/drydock/boot.env", "/usr/local/sbin/drydock-boot"])
def test_what_drydock_needs_itself(path: str) -> None:
    assert "a file of Drydock on the machine" in errors(compiled(node(), boot_action("a", assets=[file(path)])))[0]


def test_a_directory_by_its_slash() -> None:
    assert codes(compiled(node(), boot_action("a", assets=[file("/etc/app/")]))) == ["DD000"]


def test_one_file_by_two_names() -> None:
    design = compiled(node(), boot_action("a", assets=[file("/bin/x"), file("/usr/bin/x")]))
    assert len(warnings(design, "DD5010")) == 1
