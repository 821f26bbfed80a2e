"""A deployment as machines see it: worker and API in this process, HTTP between them and the machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
import yaml

from drydock import conf
from drydock.bootaction.keys import events_token
from drydock.bootaction.preparation import BootPreparation
from drydock.bootaction.render import TemplateLimits
from drydock.bootstrap.api import build_application
from drydock.model.boot_action import BootAction
from drydock.model.task import Task
from drydock.references.references import References
from tests.factories.settings import SECRET, boot_settings
from tests.http_peer import serving_wsgi
from tests.orchestrator.world import World

ADMIN = {"X-Auth-Token": "admin"}
REPORT_TOOL = "/usr/local/bin/drydock-report"


@dataclass
class Site:
    world: World
    url: str

    @classmethod
    @contextmanager
    def serving(cls, world: World, database_url: str, directory: Path) -> Iterator[Site]:
        with serving_wsgi() as server:
            url = f"http://127.0.0.1:{server.server_port}/api/v1.0"
            file = directory / "drydock.conf"
            file.write_text(
                f"[database]\nurl = {database_url}\npool_size = 4\n[api]\nauth_strategy = noauth\n"
                f"[bootaction]\nsecrets = {SECRET.hex()}\n"
                f"bootdata_url = {url}/bootdata/\nreport_url = {url}/bootaction/\n"
                "[drivers]\nnode = simulated\noob = redfish\n[simulated]\nurl = http://127.0.0.1:9\n"
            )
            server.set_app(build_application(conf.load(["--config-file", str(file)], env={})))
            site = cls(world, url)
            site.use()
            yield site

    def use(self, *secrets: bytes, references: References | None = None, **changes: Any) -> BootPreparation:
        """Let the worker prepare boots with these secrets, references and settings."""
        given = {"secrets": secrets or (SECRET,), "limits": TemplateLimits(max_bytes=1 << 20, max_seconds=5), **changes}
        settings = boot_settings(self.url, installer_events=True, report_tool=REPORT_TOOL, **given)
        fetch = references.fetch if references else self.world.designs._loader.fetch
        boot = BootPreparation(settings, fetch)
        self.world.services = replace(self.world.services, boot=boot)
        self.world.use_runner()
        return boot

    def deploy(self, design: bytes) -> Task:
        """A deployment that has come as far as it can without its machines."""
        task = self.world.create("deploy_nodes", design_ref=self.world.store(design).ref)
        for _ in range(12):
            self.world.work()
            self.world.pass_time(15)
        return task

    def subtask(self, task: Task, node: str) -> Task:
        return self.world.orchestrator.task(self.world.subtasks(task.id)[node].id)

    def machine(self, node: str) -> Deployed:
        return Deployed(self, node, self.world.provisioner.deployments[node].user_data)


@dataclass
class Deployed:
    """A machine that was given its user-data, and what it can do with it."""

    site: Site
    node: str
    user_data: str

    @property
    def files(self) -> dict[str, dict[str, str]]:
        return {entry["path"]: entry for entry in yaml.safe_load(self.user_data)["write_files"]}

    @property
    def key(self) -> str:
        (line,) = [
            line for line in self.files["/etc/drydock/boot.env"]["content"].splitlines() if "BOOTACTION_KEY" in line
        ]
        return line.partition("=")[2]

    @property
    def token(self) -> str:
        return events_token(bytes.fromhex(self.key)).hex()

    def ask(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> requests.Response:
        headers = {"X-Bootaction-Key": self.key if key is None else key, **arguments.pop("headers", {})}
        return requests.request(method, self.site.url + path, headers=headers, timeout=30, **arguments)

    def actions(self, task: Task) -> dict[str, BootAction]:
        return self.site.world.actions_of(self.site.subtask(task, self.node).id)
