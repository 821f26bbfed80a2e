from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from dev.progress import PrintedProgress
from dev.pythons import find
from dev.standstill import Standstill, Watch
from dev.virtualenv import NotInstalled, install
from tests.drivers.simulator_process import running_simulator


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Noting(io.StringIO):
    """Lets its reader wait for a line with a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        if self.text in text:
            self.seen.set()
        return super().write(text)


def test_a_part_has_a_line_and_long_ones_say_what_goes_on() -> None:
    output = Noting("package 3 of 9")
    with PrintedProgress(output, seconds=0.01).part("packages") as part:
        part.doing("package 3 of 9")
        assert output.seen.wait(10)
        part.ready("in .venv")
    lines = output.getvalue().splitlines()
    assert all(line.startswith("  packages ") and line.endswith(" s)") for line in lines)
    assert "in .venv (" in lines[-1]


def test_on_a_terminal_the_line_is_renewed() -> None:
    output = Terminal()
    with PrintedProgress(output).part("API") as part:
        part.ready("http://127.0.0.1")
    assert output.getvalue().count("\n") == 1
    assert output.getvalue().count("\r\033[K  API ") == 2


def test_a_part_that_fails_ends_its_line() -> None:
    output = Terminal()
    with pytest.raises(RuntimeError), PrintedProgress(output).part("API"):
        raise RuntimeError
    assert output.getvalue().endswith(" s)\n")


def test_what_pip_says_is_told(tmp_path: Path) -> None:
    home = tmp_path / "venv"
    (home / "bin").mkdir(parents=True)
    program = home / "bin/python"
    program.write_text('#!/bin/sh\necho "Collecting a==1"\necho "Collecting b==1"\necho "no room" >&2\nexit 1\n')
    program.chmod(0o755)
    (tmp_path / "more.txt").write_text("# more\nb==1\nc==1\n")
    (tmp_path / "pins.txt").write_text("-r more.txt\na==1\n")
    said: list[str] = []
    with pytest.raises(NotInstalled, match="no room"):
        install(home, tmp_path / "pins.txt", said.append)
    assert said == ["package 1 of 3", "package 2 of 3"]
    assert (home / ".unfinished").exists()


def test_machines_that_stand_still_are_given_up(tmp_path: Path) -> None:
    with running_simulator(tmp_path) as simulator:
        simulator.add("n01")
        watch = Watch(simulator.url, patience=0)
        with pytest.raises(Standstill, match=r"for 0 s.*the machines: 1 off"):
            watch.check()
    with pytest.raises(Standstill, match="does not answer"):
        Watch("http://127.0.0.1:9", patience=0).check()


def test_interpreters_are_found_by_their_versions() -> None:
    found = find()
    assert found
    assert all(version.startswith(("3.11.", "3.12.", "3.13.")) for version in found)
