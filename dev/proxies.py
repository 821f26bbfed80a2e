"""nginx and HAProxy, for the test that runs our examples: the system's or, with apt-get, unpacked into .cache."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev import machine_tools

#: HAProxy's libraries among them; the others every Debian has.
PACKAGES = ("nginx", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")


@dataclass(frozen=True, slots=True)
class Program:
    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def find(name: str) -> Program:
    """``nginx`` or ``haproxy``. Raises ``machine_tools.Unavailable``."""
    installed = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if installed is not None:
        return Program(Path(installed))
    home = machine_tools.ensure(packages=PACKAGES, name="proxies")
    libraries = ":".join(str(each) for each in (home / "usr/lib").glob("*-linux-gnu*"))
    return Program(home / "usr/sbin" / name, {"LD_LIBRARY_PATH": libraries})
