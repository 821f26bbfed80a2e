"""A directory that a boot script takes for a machine, with the tools it is given and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dev import machine_tools

#: What any system has; the tools that speak HTTP come in addition.
TOOLS = (
    *("sh", "mktemp", "rm", "tar", "gzip", "mkdir", "grep", "sed", "awk", "cut", "tail", "wc", "tr", "cat", "od"),
    *("sha256sum", "tee", "mkfifo", "timeout", "sync"),
)
#: Ways to be a machine: a shell, and what it has for HTTP.
KINDS = ("dash+curl", "dash+wget", "busybox", "busybox+curl")


@dataclass(frozen=True)
class Answer:
    """``cut_to``: bytes of the body that are sent; ``held``: then the connection stays open until this is set."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_to: int | None = None
    held: threading.Event | None = None


@dataclass
class Service:
    """``asked``: method, path, headers and body of each request, in order."""

    port: int
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def paths(self, method: str) -> list[str]:
        return [path for asked, path, _, _ in self.asked if asked == method]

    def posted(self, path: str) -> list[Any]:
        return [json.loads(body) for method, to, _, body in self.asked if (method, to) == ("POST", path)]


@contextmanager
def serving(answers: Callable[[str, str], Answer]) -> Iterator[Service]:
    """A real HTTP server whose ``answers`` to method and path a test decides."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            service.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            answer = answers(self.command, self.path)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut_to])
            if answer.held is not None:
                answer.held.wait(60)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """A machine that loses its patience is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
