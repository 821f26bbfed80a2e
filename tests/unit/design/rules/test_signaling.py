"""DD5022."""

from __future__ import annotations

from tests.factories.documents import boot_action, compiled, node, warnings

FILE = {"type": "file", "path": "/a", "data": "x", "data_pipeline": []}


def test_who_has_to_report_can() -> None:
    design = compiled(node(), boot_action("a", assets=[FILE]), boot_action("b", signaling=False))
    assert warnings(design, "DD5022") == []


def test_nothing_that_could_report() -> None:
    packages = {"type": "pkg_list", "data": {"vim": None}}
    nowhere = {key: value for key, value in FILE.items() if key != "path"}
    design = compiled(
        node(),
        boot_action("a", signaling=True),
        boot_action("b", assets=[packages]),
        boot_action("c", assets=[nowhere]),
    )
    assert design.valid
    found = warnings(design, "DD5022")
    assert [text.split()[2] for text in found] == ["a", "b", "c"]
    assert all("must report, but has no file or unit that could send a report" in text for text in found)
