"""Drydock whole, on one machine: PostgreSQL, Keystone, the simulated site, API and workers, as real processes.

    with Stack(directory, port=9000, machines=["n01"]) as stack:
        stack.start()
        stack.start_worker()
        stack.drydock("design", "upload", "site.yaml")

What ``make run`` starts, and what the end-to-end test deploys to.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dev import keystone, postgres, site_files
from dev.ports import LOOPBACK, free_port, is_taken
from dev.processes import Child, Processes, http_ready, line_ready, neutral_environment
from dev.progress import Progress

BIN = Path(sys.executable).parent
Command = list[str | Path]
#: What a command may take that only asks or stores: one that hangs ends here.
COMMAND_SECONDS = 300
USERS = ("admin", "member", "reader")


class Stack:
    """``directory`` keeps database, secrets, logs and openrc files; the machines are new at each start."""

    def __init__(
        self, directory: Path, *, port: int, machines: Sequence[str] | None, database_url: str | None = None,
        simulator_options: Sequence[str] = (), progress: Progress | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        """``machines``: of the simulated site; None: there is none.

        ``database_url``: an existing database to use; without it an embedded server is started.
        ``settings``: options of the service, by section, besides those that a development site has.
        """
        self.directory = directory.absolute()
        self.url = f"http://{LOOPBACK}:{port}"
        self.simulator_url = f"http://{LOOPBACK}:{free_port()}"
        self.configuration = self.directory / "drydock.conf"
        self._port = port
        self._machines = machines
        self._database_url = database_url
        self._simulator_options = tuple(simulator_options)
        self._progress = progress or Progress()
        self._settings = settings or {}
        self._servers = ExitStack()
        self._keystone: keystone.KeystoneServer | None = None
        self._openrc: dict[str, Mapping[str, str]] = {}
        self.logs = self.directory / "logs"
        self.processes = Processes(self.logs, neutral_environment())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Everything but a worker, so that what an earlier run left can be looked at before work on it goes on."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o711)  # the embedded server's user passes through
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with self._progress.part("PostgreSQL") as part:
            database_url = self._database()
            part.ready("DRYDOCK_DATABASE_URL" if self._database_url else "in this directory")
        with self._progress.part("Keystone") as part:
            started = keystone.start(self.directory / "keystone", drydock_url=self.url, doing=part.doing)
            server = self._servers.enter_context(started)
            self._keystone = server
            part.ready(server.auth_url)
        self._write_files(database_url, server)
        with self._progress.part("schema") as part:
            self.upgrade_schema()
            part.ready("up to date")
        if self._machines is not None:
            with self._progress.part("simulator") as part:
                self._start_simulator(self._machines)
                part.ready(self.simulator_url)
        with self._progress.part("API") as part:
            self.start_api()
            part.ready(self.url)

    def upgrade_schema(self) -> None:
        self._run([BIN / "drydock-manage", "--config-file", self.configuration, "db", "upgrade"])

    def start_api(self) -> None:
        command: Command = [BIN / "drydock-api", "--config-file", self.configuration]
        self.processes.start("api", command, ready=http_ready(f"{self.url}/api/v1.0/health"))

    def start_again(self, child: Child) -> bool:
        """Start the API or a worker anew, as a service manager would; false for what keeps a state of its own."""
        if child.name == "api":
            # The processes of a server that was killed notice after a moment, and hold its port until then.
            deadline = time.monotonic() + 30
            while is_taken(int(self.url.rpartition(":")[2])) and time.monotonic() < deadline:
                time.sleep(0.2)
            self.start_api()
            return True
        if child.name.startswith("worker"):
            self.start_worker(child.name)
            return True
        return False

    def start_worker(self, name: str = "worker") -> Child:
        """A worker more; returns when it listens for work."""
        with self._progress.part("worker") as part:
            command: Command = [BIN / "drydock-worker", "--config-file", self.configuration]
            child = self.processes.start(name, command, ready=line_ready(self.logs / f"{name}.log", "worker ready"))
            part.ready(f"process {child.pid}")
        return child

    def stop(self) -> None:
        """What was started last first, then Keystone and PostgreSQL."""
        self.processes.stop_all()
        self._servers.close()

    def environment(self, user: str = "admin") -> dict[str, str]:
        """For a program that is to be ``user``."""
        return {**neutral_environment(), **self._openrc[user]}

    def drydock(self, *arguments: str | Path, user: str = "admin") -> str:
        """Run the ``drydock`` command to its end; answers what it printed, raises ``CalledProcessError``."""
        return self._run([BIN / "drydock", *arguments], self.environment(user))

    def token(self, user: str) -> str:
        """A new Keystone token."""
        assert self._keystone is not None, "start() first"
        return self._keystone.token(user)

    def _run(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True,
            env=environment or neutral_environment(), timeout=COMMAND_SECONDS,
        )  # fmt: skip
        return done.stdout

    def _database(self) -> str:
        if self._database_url:
            return self._database_url
        return self._servers.enter_context(postgres.start(self.directory / "postgres")).url

    def _write_files(self, database_url: str, server: keystone.KeystoneServer) -> None:
        site_files.write_configuration(
            self.configuration, port=self._port, database_url=database_url, simulator_url=self.simulator_url,
            secret=site_files.kept_secret(self.directory / "bootaction-secret"), keystone=server.middleware_options(),
            settings=self._settings,
        )  # fmt: skip
        addresses = {"DRYDOCK_URL": self.url, "DRYDOCK_SIMULATOR_URL": self.simulator_url}
        for user in USERS:
            self._openrc[user] = {**server.environment(user), **addresses}
            site_files.write_openrc(self.directory / f"openrc-{user}", self._openrc[user])
        site_files.write_openrc(self.directory / "openrc", self._openrc["admin"])

    def _start_simulator(self, names: Sequence[str]) -> None:
        machines = self.directory / "machines"
        shutil.rmtree(machines, ignore_errors=True)
        machines.mkdir(mode=0o700)  # what they unpacked holds their keys
        command: Command = [
            BIN / "drydock-simulator",
            "--host",
            LOOPBACK,
            "--port",
            self.simulator_url.rpartition(":")[2],
        ]
        command += ["--directory", machines, "--rack-on-demand", *self._simulator_options]
        command += [word for name in names for word in ("--machine", name)]
        self.processes.start("simulator", command, ready=http_ready(f"{self.simulator_url}/health"))
