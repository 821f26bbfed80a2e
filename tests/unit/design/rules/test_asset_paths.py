"""DD5010."""

from __future__ import annotations

from typing import Any

from tests.unit.design.documents import boot_action, compiled, node, warnings


def file(path: str | None) -> dict[str, Any]:
    asset = {"type": "file", "data": "x", "data_pipeline": []}
    return asset if path is None else {**asset, "path": path}


def only(name: str) -> dict[str, Any]:
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": [name]}]}


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
        "Asset Paths: Bootaction a: /a is there twice; the last one wins.",
        "Asset Paths: Bootaction a: assets[2] has no path and will not be delivered.",
        "Asset Paths: /a is written by bootactions a and b on n1; the last one wins.",
    ]
