"""A virtual environment of Keystone's own: it brings libraries that ours must not have."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from dev.locks import file_lock

REQUIREMENTS = Path(__file__).with_name("keystone-requirements.txt")
CACHE = Path(__file__).parents[1] / ".cache"
FINISHED = "finished"


def fingerprint(*texts: str) -> str:
    """A short name for one combination of Python version, pinned packages and ``texts``."""
    parts = (sys.version, REQUIREMENTS.read_text(), *texts)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class NotInstalled(Exception):
    """Keystone's packages could not be installed; the message ends with what pip said."""


def is_ready(cache: Path = CACHE) -> bool:
    """Whether ``ensure`` has nothing left to do."""
    return (_home(cache) / FINISHED).exists()


def ensure(cache: Path = CACHE) -> Path:
    """The environment's directory; the first call takes half a minute.

    Whoever comes second waits. A half-built one is told by the missing mark and built again; ones made for
    other requirements are removed.
    """
    home = _home(cache)
    with file_lock(cache / "keystone-venv.lock"):
        if is_ready(cache):
            return home
        for old in cache.glob("keystone-venv-*"):
            shutil.rmtree(old)
        venv.create(home, with_pip=True)
        pip: list[str | Path] = [home / "bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        installed = subprocess.run([*pip, "-r", REQUIREMENTS], capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            raise NotInstalled(f"cannot install Keystone:\n{installed.stderr[-2000:]}")
        (home / FINISHED).touch()
    return home


def _home(cache: Path) -> Path:
    return cache / f"keystone-venv-{fingerprint()}"
