"""Directories in .cache that are made once for a recipe, and anew for another one."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from dev.locks import file_lock
from dev.machine_tools import CACHE


def ensure(name: str, recipe: Sequence[str], make: Callable[[Path], None], cache: Path = CACHE) -> Path:
    """The directory; ``make`` fills an empty one. A second process waits; what other recipes made is removed."""
    fingerprint = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:12]
    home = cache / f"metal-{name}-{fingerprint}"
    with file_lock(cache / f"metal-{name}.lock"):
        if home.exists():
            return home
        for old in cache.glob(f"metal-{name}-*/"):
            shutil.rmtree(old)
        unfinished = cache / f"metal-{name}-unfinished"
        unfinished.mkdir()
        make(unfinished)
        unfinished.rename(home)
    return home
