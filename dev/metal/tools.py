"""The programs that make file systems, images and the network: Debian's packages, unpacked into .cache."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.peers import libvirt_python, packages
from dev.peers.packages import Unavailable

PACKAGES = (
    "mmdebstrap", "cpio", "zstd", "gdisk", "dosfstools", "mtools", "e2fsprogs", "grub-common", "grub-efi-amd64-bin",
    "genisoimage", "ovmf", "dnsmasq-base",
)  # fmt: skip
DIRECTORIES = ("usr/bin", "usr/sbin", "bin", "sbin")


@dataclass(frozen=True, slots=True)
class Tools:
    """``homes``: the directories in which packages are unpacked."""

    homes: Sequence[Path]

    def path(self, name: str) -> Path:
        """A file of the packages, such as ``usr/share/OVMF/OVMF_CODE_4M.fd``."""
        for home in self.homes:
            if (home / name).exists():
                return home / name
        raise Unavailable(f"the packages have no {name}")

    def environment(self) -> dict[str, str]:
        """Ours, with the programs and libraries of the packages before the system's."""
        own = [str(home / directory) for home in self.homes for directory in DIRECTORIES]
        libraries = [packages.libraries(home) for home in self.homes]
        return {
            **os.environ, "PATH": ":".join([*own, os.environ["PATH"], "/usr/sbin", "/sbin"]),
            "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
        }  # fmt: skip

    def run(self, *command: str | Path, directory: Path | None = None) -> str:
        """What it printed. Raises ``Unavailable`` if it fails."""
        words = [str(word) for word in command]
        done = subprocess.run(
            words, cwd=directory, env=self.environment(), capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise Unavailable(f"{shlex.join(words[:6])} failed: {(done.stderr or done.stdout).strip()[-1500:]}")
        return done.stdout

    def shell(self, script: str, directory: Path) -> str:
        """The same for a line of the shell; any part of a pipe may fail it."""
        return self.run("bash", "-euo", "pipefail", "-c", script, directory=directory)

    def wrap(self, names: Sequence[str], directory: Path) -> Path:
        """Scripts that start ``names`` in this environment, for programs that are to keep their own: a PATH entry."""
        directory.mkdir(exist_ok=True)
        environment = self.environment()
        for name in names:
            target = next(self.path(f"{place}/{name}") for place in DIRECTORIES if self._has(f"{place}/{name}"))
            script = directory / name
            libraries = shlex.quote(environment["LD_LIBRARY_PATH"])
            script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {shlex.quote(str(target))} "$@"\n')
            script.chmod(0o755)
        return directory

    def _has(self, name: str) -> bool:
        return any((home / name).exists() for home in self.homes)


def ensure() -> Tools:
    """Fetches the packages at the first call. Raises ``Unavailable``."""
    return Tools((packages.ensure("metal", PACKAGES), packages.ensure("libvirt", libvirt_python.PACKAGES)))
