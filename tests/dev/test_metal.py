"""What can be said of ``make metal`` without machines: its design is one, and what it makes is made once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from dev.metal import cached, site
from dev.metal.__main__ import is_debian
from dev.metal.machines import Machine
from dev.peers.sushy_emulator import SushyEmulator
from drydock.cli.main import cli


@pytest.fixture
def design(tmp_path: Path) -> Path:
    bmc = cast(SushyEmulator, SimpleNamespace(auth=("admin", "-secret: 'quoted'")))
    machines = [Machine("m1", 11, tmp_path), Machine("m2", 12, tmp_path)]
    path = tmp_path / "design.yaml"
    path.write_text(site.design(machines, bmc, tags={"m2": "fails"}, root_sizes={"m2": "40g"}))
    return path


def test_its_design_is_valid(design: Path) -> None:
    result = CliRunner().invoke(cli, ["design", "validate", str(design)])
    assert (result.exit_code, "0 errors, 0 warnings" in result.output) == (0, True), result.output


def test_what_a_recipe_makes_is_kept_until_there_is_another(tmp_path: Path) -> None:
    made: list[str] = []

    def make(directory: Path) -> None:
        made.append(directory.name)
        (directory / "file").write_text("content")

    first = cached.ensure("thing", ["a", "b"], make, tmp_path)
    assert cached.ensure("thing", ["a", "b"], make, tmp_path) == first
    second = cached.ensure("thing", ["ab"], make, tmp_path)
    assert (len(made), first.exists(), (second / "file").read_text()) == (2, False, "content")


def test_what_was_interrupted_is_made_again(tmp_path: Path) -> None:
    def interrupted(directory: Path) -> None:
        (directory / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached.ensure("thing", ["a"], interrupted, tmp_path)
    made = cached.ensure("thing", ["a"], lambda directory: (directory / "whole").touch(), tmp_path)
    assert [path.name for path in made.iterdir()] == ["whole"]


@pytest.mark.parametrize(("text", "expected"), [("ID=debian\n", True), ("NAME=x\nID=ubuntu\nID_LIKE=debian\n", False)])
def test_debian(tmp_path: Path, text: str, expected: Any) -> None:
    release = tmp_path / "os-release"
    assert not is_debian(release)
    release.write_text(text)
    assert is_debian(release) is expected
