"""Debian packages with the libraries that they need, unpacked into .cache and not installed. No root is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev import machine_tools
from dev.machine_tools import Unavailable

__all__ = ["Unavailable", "ensure", "environment", "libraries", "program"]


def ensure(
    name: str,
    packages: Sequence[str],
    cache: Path = machine_tools.CACHE,
    *,
    apt_get: str | None = shutil.which("apt-get"),
) -> Path:
    """The directory with ``packages`` and those of their dependencies that this machine has not installed.

    The first call downloads them; a second process waits. Raises ``Unavailable``.
    """
    name = f"peers-{name}"
    if (cache / name).exists():
        return cache / name
    if apt_get is None:
        raise Unavailable("there is no apt-get")
    needed = {*packages, *_missing(apt_get, packages)}
    return machine_tools.ensure(cache, apt_get=apt_get, packages=sorted(needed), name=name)


def libraries(home: Path) -> str:
    """The directories of shared libraries below ``home``, as LD_LIBRARY_PATH has them."""
    found = {library.parent for library in home.glob("**/*-linux-gnu/*.so*")}
    return ":".join(str(directory) for directory in sorted(found))


def environment(home: Path) -> dict[str, str]:
    """Our environment with the libraries of ``home``."""
    return {**os.environ, "LD_LIBRARY_PATH": libraries(home)}


def program(home: Path, name: str) -> Path:
    """The program ``name`` of the packages unpacked in ``home``. Raises ``Unavailable``."""
    for directory in ("usr/bin", "usr/sbin", "bin", "sbin"):
        if (home / directory / name).exists():
            return home / directory / name
    raise Unavailable(f"{home} has no {name}")


def _missing(apt_get: str, packages: Sequence[str]) -> list[str]:
    """What an installation of ``packages`` would bring; nothing is installed."""
    command = [apt_get, "install", "--simulate", "--no-install-recommends", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and os.geteuid() == 0:
        subprocess.run([apt_get, "update", "-qq"], capture_output=True, check=False)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(
            f"apt-get knows no {' and '.join(packages)}: run apt-get update ({done.stderr.strip()[-300:]})"
        )
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")]
