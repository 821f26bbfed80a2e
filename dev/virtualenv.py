"""Make a virtual environment with pinned packages: ``PYTHON -m dev.virtualenv DIRECTORY``, of that interpreter.

Only the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from dev.progress import Doing, PrintedProgress

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements-dev.txt"
#: Is there while packages are being installed: an interrupted pip can leave some that look installed and are not whole.
UNFINISHED = ".unfinished"
PIN = re.compile(r"^[A-Za-z0-9]")


class NotInstalled(Exception):
    """Packages could not be installed; the message ends with what pip said."""


def make(home: Path, requirements: Path, doing: Doing) -> None:
    """An environment of this interpreter in ``home``, whatever was there, with what ``requirements`` pin."""
    doing("virtual environment")
    venv.create(home, with_pip=True, clear=True, symlinks=True)
    install(home, requirements, doing)


def install(home: Path, requirements: Path, doing: Doing) -> None:
    """What ``requirements`` pin, into the environment ``home``. Raises ``NotInstalled``."""
    (home / UNFINISHED).touch()
    wanted = len(list(_pins(requirements)))
    seen: list[str] = []
    found = 0
    with subprocess.Popen(
        _pip(home, "-r", requirements), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            seen.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                found += 1
                doing(f"package {found} of {wanted}")
            elif line.startswith("Installing collected packages"):
                doing(f"installing {line.count(',') + 1} packages")
    if pip.returncode:
        raise NotInstalled("pip cannot install what {} pins:\n{}".format(requirements.name, "".join(seen[-20:])))
    (home / UNFINISHED).unlink()


def _pins(requirements: Path) -> Sequence[str]:
    """The lines that name a package, those of files that are included too."""
    lines: list[str] = []
    for line in requirements.read_text().splitlines():
        if line.startswith("-r "):
            lines += _pins(requirements.with_name(line[3:].strip()))
        elif PIN.match(line):
            lines.append(line)
    return lines


def _pip(home: Path, *arguments: str | Path) -> Sequence[str | Path]:
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-color")
    return [home / "bin/python", "-m", "pip", "install", *options, *arguments]


def main() -> int:
    home = Path(sys.argv[1])
    try:
        with PrintedProgress().part("packages") as part:
            if (home / UNFINISHED).exists() or not _is_ours(home):
                make(home, REQUIREMENTS, part.doing)
            else:
                install(home, REQUIREMENTS, part.doing)
            part.doing("drydock itself")
            # setuptools is one of the pinned: no environment to build in is made and filled for a second time.
            arguments = _pip(home, "--no-deps", "--no-build-isolation", "--editable", ROOT)
            editable = subprocess.run(arguments, capture_output=True, text=True, check=False)
            if editable.returncode:
                raise NotInstalled(f"pip cannot install drydock itself:\n{editable.stderr[-2000:]}")
            part.ready(f"in {home}")
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _is_ours(home: Path) -> bool:
    """Whether there is an environment of this interpreter."""
    program = "import sys; print(sys.base_prefix, sys.version)"
    try:
        done = subprocess.run([home / "bin/python", "-c", program], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout == f"{sys.base_prefix} {sys.version}\n"


if __name__ == "__main__":
    sys.exit(main())
