"""The processes that chaos happens to: PostgreSQL, the simulated site, the API and workers, all real.

Start and end everything from one thread that stays: the kernel ends a child with the thread that started it.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import sys
from configparser import ConfigParser
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg2
import psycopg2.extensions
from sqlalchemy.engine import make_url

from dev import postgres, processes, unprivileged
from dev.ports import LOOPBACK, free_port
from dev.processes import Child, Processes, http_ready, line_ready, neutral_environment
from drydock.db import migrate

BIN = Path(sys.executable).parent
LEASE_SECONDS = 3.0
WORKERS = ("w1", "w2", "w3")
#: Short, so that many deployments fit into a round; each draws from the round's own seed.
DELAYS = ("--power-delay=0.02-0.1", "--boot-delay=0.1-0.5", "--install-delay=0.3-1.5", "--action-delay=0.05-0.4")
TIMEOUTS = {
    "deploy_node": 0.3,
    "bootaction_final_status": 0.17,
    "destroy_node": 0.35,
    "power": 0.4,
    "identify_node": 0.3,
    "configure_hardware": 0.3,
}


class ChaosStack:
    """``directory`` gets logs and files. PostgreSQL is durable: what it acknowledged must outlive any kill."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.logs = self.directory / "logs"
        self.machines = self.directory / "machines"
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self.simulator_url = f"http://{LOOPBACK}:{free_port()}"
        # What those who are killed leave behind goes with the directory.
        self._temporary = self.directory / "tmp"
        self.processes = Processes(self.logs, {**neutral_environment(), "TMPDIR": str(self._temporary)})
        self.generation = 0
        #: By place, the name of the process that has it now, which is also that of its log.
        self.workers: dict[str, str] = {}
        self._servers = ExitStack()
        self._configuration = self.directory / "drydock.conf"
        self.database_url = ""
        self._postgres: Child | None = None
        self._postgres_command: list[str] = []
        self._site_runs = False

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        self.logs.mkdir(parents=True)
        self._temporary.mkdir()
        home = self._servers.enter_context(unprivileged.temporary_directory("drydock-chaos-"))
        server = postgres.start(home)
        self.database_url = server.url
        # Started once to be made, then by us: a restart must come back at the same address.
        self._postgres_command = psutil.Process(server.pid).cmdline()
        server.stop()
        self.start_postgres()
        migrate.upgrade(self.database_url)
        self._write_configuration()
        self.start_api()
        for name in WORKERS:
            self.start_worker(name, wait=True)

    def _stop(self) -> None:
        # Nobody is owed a graceful end here, and who is frozen would not hear of it.
        for name in ("api", *self.workers.values()):
            with contextlib.suppress(KeyError):
                self.processes.kill9(name)
        self.processes.stop_all()
        if self._postgres is not None:
            self._postgres.stop()
        self._servers.close()

    # -- the simulated site

    def start_site(self, seed: int) -> None:
        """New machines, none of which has been seen before."""
        if self._site_runs:
            self.processes.stop("simulator")
            shutil.rmtree(self.machines)
        self._site_runs = True
        command: list[str | Path] = [BIN / "drydock-simulator", f"--port={self.simulator_url.rpartition(':')[2]}"]
        command += [f"--directory={self.machines}", "--rack-on-demand", f"--seed={seed}", *DELAYS]
        self.processes.start("simulator", command, ready=http_ready(f"{self.simulator_url}/health"))

    # -- the API and the workers

    def start_api(self, *, wait: bool = True) -> None:
        command: list[str | Path] = [BIN / "drydock-api", "--config-file", self._configuration]
        ready = http_ready(f"{self.url}/api/v1.0/versions") if wait else None
        self.processes.start("api", command, ready=ready)

    def api_children(self) -> list[int]:
        try:
            return sorted(child.pid for child in psutil.Process(self.processes["api"].pid).children())
        except psutil.NoSuchProcess:
            return []

    def start_worker(self, place: str, *, wait: bool = False) -> None:
        """Each process has a name and so a log of its own: what a zombie says stays apart from its successor's."""
        self.generation += 1
        name = self.workers[place] = f"{place}.{self.generation:04}"
        ready = line_ready(self.logs / f"{name}.log", "worker ready") if wait else None
        self.processes.start(name, [BIN / "drydock-worker", "--config-file", self._configuration], ready=ready)

    def worker_pid(self, place: str) -> int:
        return self.processes[self.workers[place]].pid

    # -- PostgreSQL

    def start_postgres(self) -> None:
        log = self.logs / "postgres.log"
        user = unprivileged.user_for_servers()
        self._postgres = processes.start(
            "PostgreSQL", self._postgres_command, log=log, user=user, directory=Path("/"), stop_signal=signal.SIGINT
        )  # fmt: skip
        self._postgres.wait_ready(self._accepting, seconds=30)

    @property
    def postgres_process(self) -> Child:
        assert self._postgres is not None
        return self._postgres

    def _accepting(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self) -> psycopg2.extensions.connection:
        """Our own eyes: not one of Drydock's connections."""
        url = make_url(self.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg2.connect(url, application_name="chaos", connect_timeout=5)
        connection.autocommit = True
        return connection

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _write_configuration(self) -> None:
        api = f"{self.url}/api/v1.0"
        configuration = ConfigParser(interpolation=None)
        configuration.read_dict(
            {
                "api": {
                    "port": self.url.rpartition(":")[2],
                    "workers": "2",
                    "threads": "8",
                    "auth_strategy": "noauth",
                },
                "database": {"url": self.database_url},
                "drivers": {"oob": "redfish", "node": "simulated"},
                "redfish": {"endpoint": self.simulator_url, "system": "{node}", "timeout": "2"},
                "simulated": {"url": self.simulator_url},
                "bootaction": {
                    "report_url": f"{api}/bootaction/",
                    "bootdata_url": f"{api}/bootdata/",
                    "secrets": secrets.token_hex(32),
                },
                "orchestrator": {
                    "poll_interval": "0.5",
                    "observe_interval": "0.5",
                    "lease_seconds": str(LEASE_SECONDS),
                    "slots": "6",
                },
                "timeouts": {name: str(minutes) for name, minutes in TIMEOUTS.items()},
            }
        )
        with self._configuration.open("w") as file:
            configuration.write(file)
