"""Peers that cannot be had say why, and leave nothing half made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dev.peers import packages, venvs


@pytest.mark.parametrize(("apt_get", "reason"), [(None, "no apt-get"), (shutil.which("false"), "knows no openipmi")])
def test_packages_that_cannot_be_had(tmp_path: Path, apt_get: str | None, reason: str) -> None:
    with pytest.raises(packages.Unavailable, match=reason):
        packages.ensure("ipmi", ["openipmi"], tmp_path, apt_get=apt_get)
    assert list(tmp_path.iterdir()) == []


def test_an_environment_that_is_half_made_is_not_taken_for_whole(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    with pytest.raises(packages.Unavailable, match="cannot build"):
        venvs.ensure("x", requirements, tmp_path, sources=[str(tmp_path / "no-such-source")])
    assert list(tmp_path.rglob(venvs.FINISHED)) == []
