"""libvirt-python 12.8.0 beside sushy-tools, in an environment of its own.

    python = libvirt_python.ensure()
    subprocess.run([python, "-c", "import libvirt; libvirt.open('test:///default')"])

It is source only: built once with gcc and pkg-config against Debian's libvirt, which is unpacked and not installed.
The library's directories are kept in the module (RPATH), so that no environment variable is needed. 1 to 3 minutes
the first time, with the packages.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dev.peers import packages, venvs
from dev.progress import Doing, quiet

#: For the build, the client, the daemon and its machines. qemu-utils: qemu-img makes their disks.
PACKAGES = (
    "libvirt-dev", "libvirt0", "libvirt-clients", "libvirt-daemon", "libvirt-daemon-driver-qemu",
    "qemu-system-x86", "qemu-utils",
)  # fmt: skip
REQUIREMENTS = Path(__file__).with_name("libvirt-requirements.txt")
SOURCE = "libvirt-python==12.8.0"


def ensure(doing: Doing = quiet) -> Path:
    """The interpreter of the environment. Raises ``packages.Unavailable``."""
    for tool in ("gcc", "pkg-config"):
        if shutil.which(tool) is None:
            raise packages.Unavailable(f"libvirt-python cannot be built without {tool}: install gcc and pkg-config")
    home = packages.ensure("libvirt", PACKAGES)
    directories = packages.libraries(home).split(":")
    environment = {
        **os.environ,
        "PKG_CONFIG_PATH": ":".join(f"{directory}/pkgconfig" for directory in directories),
        "PKG_CONFIG_SYSROOT_DIR": str(home),
        # RPATH and not RUNPATH, which would not be searched for what libvirt itself needs.
        "LDFLAGS": " ".join(
            ["-Wl,--disable-new-dtags", *(f"-L{directory} -Wl,-rpath,{directory}" for directory in directories)]
        ),
    }
    made = venvs.ensure("libvirt", REQUIREMENTS, sources=[SOURCE], environment=environment, doing=doing)
    return made / "bin/python"
