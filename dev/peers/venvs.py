"""Virtual environments of peers in .cache: each peer has packages that the environment of the tests must not have."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev import virtualenv
from dev.locks import file_lock
from dev.machine_tools import CACHE, Unavailable
from dev.progress import Doing, quiet

FINISHED = "finished"


def ensure(
    name: str,
    requirements: Path,
    cache: Path = CACHE,
    *,
    sources: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    doing: Doing = quiet,
) -> Path:
    """The environment of this interpreter with what ``requirements`` pin; ``sources`` are built in ``environment``.

    The first call installs; a second process waits. An environment of other requirements is removed.
    Raises ``Unavailable``.
    """
    interpreter = f"{name}-venv-{sys.version_info.major}.{sys.version_info.minor}"
    home = cache / f"peers-{interpreter}-{_fingerprint(requirements, sources)}"
    with file_lock(cache / f"peers-{interpreter}.lock"):
        if (home / FINISHED).exists():
            return home
        for old in cache.glob(f"peers-{interpreter}-*/"):
            shutil.rmtree(old)
        try:
            virtualenv.make(home, requirements, doing)
        except virtualenv.NotInstalled as error:
            raise Unavailable(str(error)) from error
        for source in sources:
            doing(f"building {source}")
            _build(home, source, environment)
        (home / FINISHED).touch()
    return home


def _build(home: Path, source: str, environment: Mapping[str, str] | None) -> None:
    # Without pip's cache: a wheel built there for other libraries would be taken.
    options = ("--disable-pip-version-check", "--no-input", "--quiet", "--no-cache-dir", "--no-deps")
    command = [str(home / "bin/python"), "-m", "pip", "install", *options, source]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"pip cannot build {source}: {done.stderr.strip()[-1500:]}")


def _fingerprint(requirements: Path, sources: Sequence[str]) -> str:
    parts = (sys.version, sys.base_prefix, requirements.read_text(), *sources)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
