"""The interpreters of this machine that Drydock supports, and the tests on each: ``python -m dev.pythons``.

Each but the one that runs this gets a virtual environment in ``.cache``, runs the unit tests, starts everything and
deploys the example site once. The one that runs this has all tests (``make test``).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev.ports import free_port

ROOT = Path(__file__).parents[1]
MINORS = (11, 12, 13)
#: Of one interpreter: its environment is made, Keystone's too, the unit tests run, a site is deployed.
SECONDS = 20 * 60


def find() -> dict[str, Path]:
    """One interpreter of each version, by version: what PATH has, Debian's own, and those of pyenv."""
    found: dict[str, Path] = {}
    for candidate in _candidates():
        version = _version(candidate)
        if version is not None and int(version.split(".")[1]) in MINORS:
            found.setdefault(version, candidate)
    return dict(sorted(found.items(), key=lambda item: tuple(int(part) for part in item[0].split("."))))


def _candidates() -> Iterator[Path]:
    places = [*map(Path, os.environ.get("PATH", "").split(os.pathsep)), Path("/usr/bin"), Path("/usr/local/bin")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places += sorted(pyenv.glob("versions/3.*/bin"))
    # NOTE: a shim of pyenv stands for one of its versions, or for none; these are found in their own places.
    for place in dict.fromkeys(place for place in places if place != pyenv / "shims"):
        for minor in MINORS:
            if (program := place / f"python3.{minor}").is_file():
                yield program


def _version(program: Path) -> str | None:
    """Such as 3.12.1; None if it does not run, or is not CPython."""
    code = "import platform as p; print(p.python_implementation(), p.python_version())"
    try:
        done = subprocess.run([program, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    name, _, version = done.stdout.strip().partition(" ")
    # One that is not released yet (3.14.0rc1) is not supported.
    return version if name == "CPython" and version.replace(".", "").isdigit() else None


def check(version: str, program: Path) -> bool:
    """Unit tests, the start and a deployment on one interpreter; whether all went well."""
    home = ROOT / ".cache" / f"venv-{version}"
    print(f"== Python {version} ({program})", flush=True)
    started = time.monotonic()
    # make run by an outer make would hand its options and variables on.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment: Mapping[str, str] = {**kept, "VENV": str(home), "PYTHON": str(program)}
    directory = ROOT / ".cache" / f"run-{version}"
    python = str(home / "bin/python")
    for command in (
        ["sh", "dev/setup.sh"],
        [python, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "tests/unit"],
        [python, "-m", "dev.run", "--once", "--port", str(free_port()), "--directory", str(directory)],
    ):
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            print(f"== Python {version}: gave up after {SECONDS} s: {' '.join(command)}", flush=True)
            return False
        if done.returncode:
            print(f"== Python {version}: failed: {' '.join(command)}", flush=True)
            return False
    print(f"== Python {version}: all is well ({time.monotonic() - started:.0f} s)", flush=True)
    return True


def main() -> int:
    here = platform.python_version()
    others = {version: program for version, program in find().items() if version != here}
    if not others:
        print(f"Only Python {here} is here: nothing was tested on others")
    failed = [version for version, program in others.items() if not check(version, program)]
    if failed:
        print(f"Failed on Python {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
