"""BusyBox and cloud-init as the tests get them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dev import machine_tools


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
def test_they_come_without_being_installed() -> None:
    home = machine_tools.ensure()
    busybox, python = machine_tools.busybox(), machine_tools.python_of_cloud_init()
    assert busybox is not None
    assert busybox.is_relative_to(home)
    assert "BusyBox" in subprocess.run([busybox], capture_output=True, text=True, check=True).stdout
    assert python is not None
    said = subprocess.run(
        [*python, "-c", "import cloudinit; print(cloudinit.__file__)"], capture_output=True, text=True, check=True
    ).stdout
    assert Path(said).is_relative_to(home)
    assert machine_tools.ensure(apt_get=None) == home, "what is here is not fetched again"


@pytest.mark.parametrize(("apt_get", "reason"), [(None, "no apt-get"), (shutil.which("false"), "brings no busybox")])
def test_where_they_cannot_be_had_it_says_why(tmp_path: Path, apt_get: str | None, reason: str) -> None:
    with pytest.raises(machine_tools.Unavailable, match=reason):
        machine_tools.ensure(tmp_path, apt_get=apt_get)
    assert [path.name for path in tmp_path.iterdir()] == ["machine-tools.lock"], "nothing half done is left"


def test_a_shell_that_goes_by_its_own_programs_is_not_taken(tmp_path: Path) -> None:
    """Debian's busybox-static is one: a test could give it no program of its own."""
    program = tmp_path / "machine-tools/bin/busybox"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    assert machine_tools.busybox(tmp_path) != program
