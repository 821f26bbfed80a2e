"""A real, standalone Ironic 39 with the hardware types ``fake-hardware`` and ``redfish``, on loopback by default.

    with IronicServer(directory) as ironic:
        connection = openstack.connection.Connection(**ironic.connection())

The first start on a machine takes 1 to 5 minutes (packages 350 MB, schema), later ones 6 s on two busy cores. Three
fake-hardware nodes go from enrolment to active and back in 8 s, most of it openstacksdk's polls every 2 s.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt

from dev import processes
from dev.locks import file_lock
from dev.machine_tools import CACHE
from dev.peers import ironic_configuration, venvs
from dev.peers.packages import Unavailable
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port
from dev.progress import Doing, quiet

REQUIREMENTS = Path(__file__).with_name("ironic-requirements.txt")
LAUNCHER = Path(__file__).with_name("ironic_launcher.py")
USER = "ironic-user"
START_SECONDS = 120
NO_SETTINGS: ironic_configuration.Sections = {}


class IronicServer(Peer):
    """A running Ironic and the file server from which BMCs fetch what it publishes.

    ``basic``: clients authenticate with HTTP basic. ``settings`` are more options, by section. ``directory`` is
    empty, or one of an earlier server whose nodes are to be kept. Raises ``packages.Unavailable``.
    """

    def __init__(
        self, directory: Path, *, basic: bool = False, settings: ironic_configuration.Sections = NO_SETTINGS,
        address: str = LOOPBACK, programs: Path | None = None, cache: Path = CACHE, doing: Doing = quiet,
    ) -> None:  # fmt: skip
        """``programs``: a directory with programs that Ironic is to find before the system's, such as mkisofs."""
        self._home, schema = ensure(doing, cache)
        self._directory = directory
        self.port, self._file_port = free_port(), free_port()
        self._address = address
        self.url = f"http://{address}:{self.port}"
        self.user = USER
        self.password = secrets.token_urlsafe(12) if basic else None
        self.log = directory / "ironic.log"
        for name in ironic_configuration.DIRECTORIES:
            (directory / name).mkdir(parents=True, exist_ok=True)
        self._configuration = directory / "ironic.conf"
        options = ironic_configuration.sections(
            directory, address=address, port=self.port, file_port=self._file_port, accounts=self._accounts()
        )
        ironic_configuration.write(self._configuration, options, settings)
        if not (directory / "ironic.sqlite").exists():
            shutil.copy(schema, directory / "ironic.sqlite")
        environment = processes.neutral_environment()
        if programs is not None:
            environment["PATH"] = f"{programs}:{environment['PATH']}"
        self._processes = processes.Processes(directory, environment)

    @property
    def http_root(self) -> Path:
        """The directory that the file server shows: boot ISOs may be put there."""
        return self._directory / "http"

    @property
    def pid(self) -> int:
        """Of the process of API and conductor."""
        return self._processes["ironic"].pid

    def connection(self) -> Mapping[str, Any]:
        """Arguments of ``openstack.connection.Connection``."""
        if self.password is None:
            return {"auth_type": "none", "auth": {"endpoint": self.url}, "baremetal_endpoint_override": self.url}
        account = {"endpoint": self.url, "username": self.user, "password": self.password}
        return {"auth_type": "http_basic", "auth": account, "baremetal_endpoint_override": self.url}

    def start(self) -> None:
        """Start it, or start it again at the same address with the nodes it had."""
        files = [sys.executable, "-m", "http.server", "--bind", self._address, "--directory", str(self.http_root)]
        command = [str(self._home / "bin/python"), str(LAUNCHER), "--config-file", str(self._configuration)]
        self._processes.start("ironic-files", [*files, str(self._file_port)])
        self._processes.start("ironic", command, ready=processes.http_ready(f"{self.url}/v1"), seconds=START_SECONDS)

    def stop(self) -> None:
        """End it. On SIGTERM Ironic waits up to a minute for its workers: it is killed."""
        for name in ("ironic", "ironic-files"):
            try:
                self._processes.kill9(name)
            except KeyError:  # it was not started
                continue

    def _accounts(self) -> Path | None:
        if self.password is None:
            return None
        accounts = self._directory / "htpasswd"
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(4)).decode()
        accounts.write_text(f"{self.user}:{hashed}\n")
        return accounts


def ensure(doing: Doing = quiet, cache: Path = CACHE) -> tuple[Path, Path]:
    """The environment and a database with the schema; made by the first call. Raises ``packages.Unavailable``."""
    home = venvs.ensure("ironic", REQUIREMENTS, cache, doing=doing)
    return home, _schema(cache, home, doing)


def _schema(cache: Path, home: Path, doing: Doing) -> Path:
    """A database with the schema and no rows, made once for an environment."""
    made = home / "ironic.sqlite"
    with file_lock(cache / "peers-ironic-schema.lock"):
        if made.exists():
            return made
        doing("schema")
        unfinished, configuration = home / "unfinished.sqlite", home / "schema.conf"
        unfinished.unlink(missing_ok=True)
        ironic_configuration.write(configuration, {"database": {"connection": f"sqlite:///{unfinished}"}}, {})
        command = [str(home / "bin/ironic-dbsync"), "--config-file", str(configuration), "create_schema"]
        done = subprocess.run(command, env=processes.neutral_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"ironic-dbsync failed: {done.stderr[-1000:]}")
        unfinished.rename(made)
    return made
