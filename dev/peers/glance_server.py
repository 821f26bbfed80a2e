"""A real Glance 33 behind a Keystone: SQLite, images as files, on loopback.

    with GlanceServer(directory, keystone) as glance:
        keystone.register("image", "glance", glance.url)

The first start on a machine takes two minutes (packages 250 MB, schema), later ones 4 s.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from dev import processes
from dev.keystone import KeystoneServer
from dev.locks import file_lock
from dev.machine_tools import CACHE
from dev.peers import ironic_configuration, venvs
from dev.peers.packages import Unavailable
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port
from dev.progress import Doing, quiet

REQUIREMENTS = Path(__file__).with_name("glance-requirements.txt")
START_SECONDS = 120


class GlanceServer(Peer):
    """``page``: images of one answer at most. ``directory`` is empty. Raises ``packages.Unavailable``."""

    def __init__(
        self, directory: Path, keystone: KeystoneServer, *, page: int = 1000, cache: Path = CACHE, doing: Doing = quiet
    ) -> None:
        self._home, schema = ensure(doing, cache)
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.log = directory / "glance.log"
        images = directory / "images"
        images.mkdir(parents=True)
        shutil.copy(schema, directory / "glance.sqlite")
        self._configuration = directory / "glance-api.conf"
        sections: ironic_configuration.Sections = {
            "DEFAULT": {"limit_param_default": page, "api_limit_max": page, "enabled_backends": "files:file"},
            "database": {"connection": f"sqlite:///{directory / 'glance.sqlite'}"},
            "glance_store": {"default_backend": "files"},
            "files": {"filesystem_store_datadir": images},
            "os_glance_staging_store": {"filesystem_store_datadir": directory / "staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": directory / "tasks"},
            "paste_deploy": {
                "flavor": "keystone", "config_file": self._home / "etc/glance/glance-api-paste.ini",
            },
            "keystone_authtoken": keystone.middleware_options(),
            "oslo_concurrency": {"lock_path": directory / "locks"},
        }  # fmt: skip
        ironic_configuration.write(self._configuration, sections, {})
        self._processes = processes.Processes(
            directory, {**processes.neutral_environment(), "OS_GLANCE_CONFIG_DIR": str(directory)}
        )

    def start(self) -> None:
        options = ["--bind", f"{LOOPBACK}:{self.port}", "--threads", "4", "--no-control-socket"]
        command = [str(self._home / "bin/python"), "-m", "gunicorn", *options, "glance.wsgi.api:application"]
        self._processes.start(
            "glance", command, ready=processes.http_ready(f"{self.url}/healthcheck"), seconds=START_SECONDS
        )

    def stop(self) -> None:
        """End it. On SIGTERM Glance waits for its pools: it is killed."""
        with contextlib.suppress(KeyError):  # it was not started
            self._processes.kill9("glance")


def ensure(doing: Doing = quiet, cache: Path = CACHE) -> tuple[Path, Path]:
    """The environment and a database with the schema; made by the first call. Raises ``packages.Unavailable``."""
    home = venvs.ensure("glance", REQUIREMENTS, cache, doing=doing)
    made = home / "glance.sqlite"
    with file_lock(cache / "peers-glance-schema.lock"):
        if made.exists():
            return home, made
        doing("schema")
        unfinished, configuration = home / "unfinished.sqlite", home / "schema.conf"
        unfinished.unlink(missing_ok=True)
        ironic_configuration.write(configuration, {"database": {"connection": f"sqlite:///{unfinished}"}}, {})
        command = [str(home / "bin/glance-manage"), "--config-file", str(configuration), "db_sync"]
        done = subprocess.run(command, env=processes.neutral_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"glance-manage failed: {done.stderr[-1000:]}")
        unfinished.rename(made)
    return home, made
