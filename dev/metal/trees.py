"""Root file systems of Debian 12, made with mmdebstrap and kept in .cache.

``IMAGE`` is what is installed on machines (461 MB, 85 s on two busy cores). ``AGENT`` is the ramdisk that installs it:
Debian with ironic-python-agent (480 MB, 100 s). Each is made once; root only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.locks import file_lock
from dev.machine_tools import CACHE, Unavailable
from dev.metal.tools import Tools
from dev.progress import Doing, quiet

SUITE = "bookworm"
#: Of Debian 12, for which the agent's packages are chosen.
PYTHON = "3.11"
LEFT_OUT = ("doc", "man", "locale", "info")
BOOT = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "iproute2",
    "curl",
    "ca-certificates",
    "linux-image-cloud-amd64",
)

#: mmdebstrap mounts the system's /dev and /proc in the tree: interrupted, it must not leave them to those who clean up.
ALONE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")


@dataclass(frozen=True, slots=True)
class Tree:
    """What one file system holds: Debian packages, and Python packages below ``/opt/NAME``."""

    name: str
    packages: Sequence[str]
    python_packages: Sequence[str]


IMAGE = Tree(
    name="image",
    packages=(
        *BOOT, "systemd-resolved", "cloud-init", "netplan.io", "cloud-guest-utils", "initramfs-tools",
        "gdisk", "parted", "lvm2", "e2fsprogs", "xfsprogs", "dosfstools",
    ),
    python_packages=(),
)  # fmt: skip
AGENT = Tree(
    name="agent",
    packages=(
        *BOOT, "python3", "util-linux", "bsdextrautils", "psmisc", "file", "parted", "gdisk", "dosfstools", "e2fsprogs",
        "efibootmgr", "mdadm", "lvm2", "qemu-utils", "hdparm", "nvme-cli", "smartmontools",
        "dmidecode", "lshw", "pciutils", "usbutils", "ethtool", "ipmitool",
    ),
    python_packages=("ironic-python-agent==13.0.0",),
)  # fmt: skip


def ensure(tree: Tree, tools: Tools, cache: Path = CACHE, doing: Doing = quiet) -> Path:
    """The directory of the file system. Raises ``Unavailable``; a second process waits."""
    if os.geteuid() != 0:
        raise Unavailable("a root file system is made by root only")
    home = cache / f"metal-{tree.name}-{_fingerprint(tree)}"
    with file_lock(cache / f"metal-{tree.name}.lock"):
        if home.exists():
            return home
        for old in cache.glob(f"metal-{tree.name}-*/"):
            shutil.rmtree(old)
        unfinished = cache / f"metal-{tree.name}-unfinished"
        doing(f"Debian packages of the {tree.name}")
        tools.run(*ALONE, *_mmdebstrap(tree, unfinished))
        if tree.python_packages:
            doing(f"Python packages of the {tree.name}")
            tools.run(*_pip(tree, unfinished))
        unfinished.rename(home)
    return home


def _mmdebstrap(tree: Tree, target: Path) -> list[str]:
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    options = ["--quiet", "--mode=root", "--variant=minbase", '--aptopt=APT::Install-Recommends "false"', *excluded]
    return ["mmdebstrap", *options, f"--include={','.join(tree.packages)}", SUITE, str(target)]


def _pip(tree: Tree, target: Path) -> list[str]:
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--only-binary=:all:",
        f"--python-version={PYTHON}",
    ]
    return [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        f"{target}/opt/{tree.name}",
        *tree.python_packages,
    ]


def _fingerprint(tree: Tree) -> str:
    parts = (SUITE, *_mmdebstrap(tree, Path("/")), *tree.python_packages)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
