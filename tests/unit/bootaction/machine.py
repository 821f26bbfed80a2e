"""A directory that a boot script takes for a machine, with the tools it is given and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from dev import machine_tools

#: What any system has; the tools that speak HTTP come in addition.
TOOLS = (
    *("sh", "mktemp", "rm", "tar", "gzip", "mkdir", "grep", "sed", "awk", "cut", "tail", "wc", "tr", "cat", "od"),
    *("sha256sum", "tee", "mkfifo", "timeout", "sync"),
)
#: Ways to be a machine: a shell, and what it has for HTTP.
KINDS = ("dash+curl", "dash+wget", "busybox", "busybox+curl")


class Machine:
    """Instead of systemd it has a program that takes notes, and instead of sleep one that does not sleep."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.directory = directory
        self.root = directory / "root"
        self._tools = directory / "bin"
        for made in (self._tools, directory / "run", self.root):
            made.mkdir(parents=True)
        busybox, http = kind.startswith("busybox"), kind.partition("+")[2]
        for name in TOOLS:
            self._link(name, "busybox" if busybox else "dash" if name == "sh" else name)
        if busybox:
            self._link("nc", "busybox")
            self._link("wget", "busybox")
        if http:
            self._link(http, http)
        self.program("systemctl", f'echo "$*" >> {directory}/systemctl; case $* in *broken*) exit 1 ;; esac')
        self.program("sleep", f'echo "$1" >> {directory}/sleeps')

    def _link(self, name: str, program: str) -> None:
        found = machine_tools.busybox() if program == "busybox" else shutil.which(program)
        if found is None:
            pytest.skip(machine_tools.NEEDS_BUSYBOX if program == "busybox" else f"needs {program}: install it")
        (self._tools / name).symlink_to(found)

    def program(self, name: str, body: str) -> None:
        (self._tools / name).write_text(f"#!{shutil.which('sh')}\n{body}\n")
        (self._tools / name).chmod(0o755)

    def run(
        self, script: str, *arguments: str, path: Sequence[Path] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        file = self.directory / "script"
        file.write_text(script)
        return subprocess.run(
            [self._tools / "sh", file, *arguments],
            env={
                "PATH": os.pathsep.join(map(str, (self._tools, *path))),
                "TMPDIR": str(self.directory / "run"),
                "http_proxy": "http://127.0.0.1:1",
                **environment,
            },
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=60,
            # A power cut ends the whole group.
            process_group=0,
        )

    def cuts_power_at(self, number: int) -> None:
        """When the script starts its ``number``-th program all that runs ends at once; never for 0."""
        (self.directory / "cut").write_text(str(number))
        (self.directory / "started").write_text("")
        for link in [link for link in self._tools.iterdir() if link.is_symlink() and link.name != "sh"]:
            target = link.readlink()
            link.unlink()
            count = f"echo >> {self.directory}/started; read cut < {self.directory}/cut"
            reached = f'"$({shutil.which("wc")} -l < {self.directory}/started)" -ge "$cut"'
            self.program(link.name, f'{count}\n[ "$cut" -gt 0 ] && [ {reached} ] && kill -9 0\nexec {target} "$@"')

    def noted(self, name: str) -> list[str]:
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    def left_behind(self) -> list[str]:
        return os.listdir(self.directory / "run")
