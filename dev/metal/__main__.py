"""``make metal``: what is needed is made (kept in .cache), then all of it runs in a network namespace of its own."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev import keystone_venv, processes
from dev.locks import Locked, file_lock
from dev.machine_tools import CACHE
from dev.metal import disk_image, inside, ramdisk, tools
from dev.peers import ironic_server, libvirt_python
from dev.peers.packages import Unavailable
from dev.progress import PrintedProgress

NAMESPACES = ("unshare", "--net", "--mount", "--propagation", "private")
#: What the site's network needs, tried in a namespace that ends at once.
TRIAL = "ip link add trial type bridge && ip tuntap add trial0 mode tap && ip link set trial0 master trial"
#: Trees of root file systems, images and the machines' disks.
FREE_GIB = 8


def main() -> int:
    """0: all is well, or it cannot be had here, which is said; 1: a check failed, or something could not be made."""
    parser = argparse.ArgumentParser(prog="make metal", description="Install two blank QEMU machines, end to end.")
    parser.add_argument("--short", action="store_true", help="stop when the installed system has started")
    short = parser.parse_args().short
    reason = why_not()
    if reason is not None:
        print(f"make metal: skipped: {reason}")
        return 0
    try:
        with file_lock(CACHE / "metal.lock", wait=False):
            prepare()
            command = processes.mortal(
                [*NAMESPACES, sys.executable, "-m", "dev.metal.inside", *([inside.SHORT] if short else [])]
            )
            return subprocess.run(command, check=False).returncode
    except Locked:
        print("make metal: it is running here already", file=sys.stderr)
    except Unavailable as error:
        print(f"make metal: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    return 1


def why_not() -> str | None:
    """Why this machine cannot run it; None if it can."""
    if not sys.platform.startswith("linux") or not is_debian(Path("/etc/os-release")):
        return "it needs Debian, whose packages it takes"
    if os.geteuid() != 0:
        return "it needs root, for root file systems, network namespaces and libvirtd"
    lacking = [name for name in ("apt-get", "unshare", "ip", "gcc", "pkg-config") if shutil.which(name) is None]
    if lacking:
        return f"there is no {lacking[0]}: apt-get install util-linux iproute2 gcc pkg-config"
    done = subprocess.run([*NAMESPACES, "sh", "-c", TRIAL], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"no network can be made in a namespace: {done.stderr.strip()}"
    CACHE.mkdir(exist_ok=True)
    if shutil.disk_usage(CACHE).free < FREE_GIB << 30:
        return f"it needs {FREE_GIB} GiB of disk"
    return None


def is_debian(release: Path) -> bool:
    return release.exists() and any(line.strip() == "ID=debian" for line in release.read_text().splitlines())


def prepare() -> None:
    """All that comes from package registries: inside there is no way out. Raises ``Unavailable``."""
    progress = PrintedProgress()
    with progress.part("Debian") as part:
        part.doing("packages")
        made = tools.ensure()
        part.ready("packages")
    with progress.part("disk image") as part:
        image = disk_image.ensure(made, part.doing)
        part.ready(f"{image.path.stat().st_size >> 20} MiB")
    with progress.part("ramdisk") as part:
        agent = ramdisk.ensure(made, part.doing)
        part.ready(f"{agent.initramfs.stat().st_size >> 20} MiB")
    with progress.part("Ironic") as part:
        ironic_server.ensure(part.doing)
        part.ready("installed")
    with progress.part("libvirt") as part:
        libvirt_python.ensure(part.doing)
        part.ready("installed")
    with progress.part("Keystone") as part:
        keystone_venv.ensure(doing=part.doing)
        part.ready("installed")


if __name__ == "__main__":
    sys.exit(main())
