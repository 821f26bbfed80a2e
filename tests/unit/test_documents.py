"""Links, paths and options that the documents name exist, and the index lists every decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.auth import options
from drydock.conf import list_opts, load

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")})
#: Paths below these may be written without them.
BASES = ("", "drydock", "drydock/design", "drydock/bootaction", "drydock/orchestrator", "tests", "docs", "etc/drydock")
#: Files on machines.
ELSEWHERE = {"ssh.service.d/10-limits.conf"}
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|sh|yaml|conf|sample|cfg))(?:::[\w.]+)?`")
_OPTION = re.compile(r"`\[(\w+)\] (\w+)")


def each_match(pattern: re.Pattern[str], document: Path) -> Iterator[tuple[str, ...]]:
    for found in pattern.finditer(document.read_text()):
        yield found.groups()


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_to_files(document: Path) -> None:
    targets = [target.partition("#")[0] for (target,) in each_match(_LINK, document) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_paths_exist(document: Path) -> None:
    paths = {path for (path,) in each_match(_PATH, document)} - ELSEWHERE
    assert {path for path in paths if not any((ROOT / base / path).exists() for base in BASES)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_options_exist(document: Path) -> None:
    known = {(group, option.dest) for group, opts in list_opts() for option in opts}
    keystone_options = options.register(load([], env={}))
    known |= {(group, option.dest) for group, opts in keystone_options.items() for option in opts}
    known |= {("oslo_policy", "policy_file"), (options.GROUP, "auth_type")}
    assert set(each_match(_OPTION, document)) - known == set()


def test_the_index_lists_every_decision() -> None:
    directory = ROOT / "docs/decisions"
    index = (directory / "README.md").read_text()
    assert [page.name for page in sorted(directory.glob("0*.md")) if f"({page.name})" not in index] == []
