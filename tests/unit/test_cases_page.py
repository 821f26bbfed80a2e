"""Every test that the page of cases names exists: in the file named with it, or in the one named before it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"(?P<file>tests/[\w/]+\.py)?(?P<names>(?:::\w+)*)")


def missing(cell: str) -> list[str]:
    """What the tests' column of one row names in vain."""
    wrong: list[str] = []
    text = ""
    for named in NAMED.finditer(cell):
        if named["file"]:
            path = ROOT / named["file"]
            text = path.read_text() if path.exists() else ""
            if not path.exists():
                wrong.append(named["file"])
        for name in filter(None, named["names"].split("::")):
            if not re.search(rf"\b(?:def|class) {name}\b", text):
                wrong.append(name)
    return wrong


def test_what_is_named_exists() -> None:
    page = (ROOT / "docs/development/cases.md").read_text()
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) > 60
    assert [wrong for row in rows for wrong in missing(row)] == []


def test_a_missing_name_is_found() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    assert missing(f"`{here}::test_what_is_named_exists`, `::test_of_no_file`, `tests/none.py`") == [
        "test_of_no_file",
        "tests/none.py",
    ]
