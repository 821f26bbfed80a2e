"""BusyBox and cloud-init, for tests that play a machine: Debian's packages, unpacked into .cache and not installed.

Installed, cloud-init would set up the developer's own machine at its next start. No root is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.locks import file_lock

CACHE = Path(__file__).parents[1] / ".cache"
# NOTE: not busybox-static, whose shell has its own programs before those of PATH.
PACKAGES = ("busybox", "cloud-init")
NEEDS_BUSYBOX = "needs BusyBox: install busybox, or have apt-get and run python -m dev.machine_tools"
NEEDS_CLOUD_INIT = "needs cloud-init: install it, or have apt-get and run python -m dev.machine_tools"
_QUICK_TO_GIVE_UP = ("Acquire::Retries=2", "Acquire::http::Timeout=20", "APT::Sandbox::User=root")


class Unavailable(Exception):
    """The packages cannot be had here; the message says why."""


def ensure(
    cache: Path = CACHE,
    *,
    apt_get: str | None = shutil.which("apt-get"),
    name: str = "machine-tools",
    packages: Sequence[str] = PACKAGES,
) -> Path:
    """Where the packages are unpacked; the first call fetches 2 MB. Whoever comes second waits.

    Raises ``Unavailable``.
    """
    home = cache / name
    with file_lock(cache / f"{name}.lock"):
        if not home.exists():
            if apt_get is None:
                raise Unavailable("there is no apt-get")
            with tempfile.TemporaryDirectory(dir=cache) as directory:
                unpacked = Path(directory, "unpacked")
                for package in _download(Path(directory), apt_get, packages):
                    subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
                unpacked.rename(home)
    return home


def busybox(cache: Path = CACHE) -> Path | None:
    """The program: ours or, without it, the system's, if its shell goes by PATH."""
    for found in (
        *(cache / "machine-tools" / place / "busybox" for place in ("bin", "usr/bin")),
        shutil.which("busybox"),
    ):
        if found is not None and Path(found).exists() and _goes_by_path(found):
            return Path(found).resolve()
    return None


def _goes_by_path(program: str | Path) -> bool:
    alone = subprocess.run([program, "sh", "-c", "true && sleep 0"], env={"PATH": ""}, capture_output=True, check=False)
    return alone.returncode == 127


def python_of_cloud_init(cache: Path = CACHE) -> Sequence[str] | None:
    """How to start a Python that has cloud-init: ours or, without it, the system's."""
    packages = cache / "machine-tools/usr/lib/python3/dist-packages"
    for start in (("env", f"PYTHONPATH={packages}", sys.executable), ("/usr/bin/python3",)):
        found = [*start, "-c", "import cloudinit.cmd.main"]
        if shutil.which(start[0]) and subprocess.run(found, capture_output=True, check=False).returncode == 0:
            return start
    return None


def _download(directory: Path, apt_get: str, packages: Sequence[str]) -> list[Path]:
    """By the system's lists of packages; where these are missing or old, by lists of our own."""
    lists, archives = directory / "lists", directory / "archives"
    for made in (lists / "partial", archives / "partial"):
        made.mkdir(parents=True)
    own = (f"Dir::State::lists={lists}", f"Dir::Cache={archives}")
    said = ""
    for options, commands in (((), [("download", *packages)]), (own, [("update",), ("download", *packages)])):
        for command in commands:
            words = [word for option in (*_QUICK_TO_GIVE_UP, *options) for word in ("-o", option)]
            done = subprocess.run(
                [apt_get, "-qq", *words, *command], cwd=directory, capture_output=True, text=True, check=False
            )
            said += done.stderr
        found = list(directory.glob("*.deb"))
        if done.returncode == 0 and len(found) == len(packages):
            return found
    raise Unavailable(f"apt-get brings no {' and '.join(packages)}: {said.strip()[-500:]}")


def main() -> int:
    """Without the packages their tests are skipped: on CI, where nobody would see it, a failure if apt-get is there."""
    try:
        ensure()
    except Unavailable as error:
        print(
            f"Tests that need BusyBox or cloud-init are skipped, unless these are installed: {error}", file=sys.stderr
        )
        return 1 if os.environ.get("CI") and shutil.which("apt-get") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
