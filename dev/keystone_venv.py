"""A virtual environment of Keystone's own: it brings libraries that ours must not have."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from pathlib import Path

from dev import virtualenv
from dev.locks import file_lock
from dev.progress import Doing, quiet

REQUIREMENTS = Path(__file__).with_name("keystone-requirements.txt")
CACHE = Path(__file__).parents[1] / ".cache"
FINISHED = "finished"


def fingerprint(*texts: str) -> str:
    """A short name for one combination of Python version, pinned packages and ``texts``."""
    parts = (sys.version, REQUIREMENTS.read_text(), *texts)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def is_ready(cache: Path = CACHE) -> bool:
    """Whether ``ensure`` has nothing left to do."""
    return (_home(cache) / FINISHED).exists()


def ensure(cache: Path = CACHE, doing: Doing = quiet) -> Path:
    """The environment's directory; the first call takes half a minute. Raises ``virtualenv.NotInstalled``.

    Whoever comes second waits. A half-built one is told by the missing mark and built again; ones made for
    other requirements are removed, those of other interpreters stay.
    """
    home = _home(cache)
    with file_lock(cache / "keystone-venv.lock"):
        if is_ready(cache):
            return home
        for old in cache.glob("keystone-venv-*/"):
            if _python_of(old) in (platform.python_version(), None):
                shutil.rmtree(old)
        virtualenv.make(home, REQUIREMENTS, doing)
        (home / FINISHED).touch()
    return home


def _home(cache: Path) -> Path:
    return cache / f"keystone-venv-{fingerprint()}"


def _python_of(home: Path) -> str | None:
    """The version of an environment's interpreter; None if it has none yet."""
    try:
        lines = (home / "pyvenv.cfg").read_text().splitlines()
    except FileNotFoundError:
        return None
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("version =")), None)
