"""A real Ironic for tests of the driver, and the operator of Ironic beside it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest
import requests

from dev.peers import packages
from dev.peers.ironic_server import IronicServer
from drydock.drivers.node.ironic.connector import IronicConnector
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from tests.eventually import eventually
from tests.http_peer import Answer, Request

#: All workers of a site have one.
KEY = b"of all workers of the tests"
HARDWARE = {"fake": "fake-hardware", "redfish": "redfish"}
IMAGES = """
jammy:
  source: http://127.0.0.1/jammy.qcow2
  checksum: 4a7d6a2b5c8f
  kernels: [hwe-22.04]
  kernel_params: console=ttyS0 quiet
"""
#: Each fake step takes a moment, so that what happens during it can be tried.
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "fake": {"deploy_delay": "1"},
    "redfish": {"connection_attempts": 1, "connection_retry_interval": 1},
}


class CountedConnector(IronicConnector):
    """``requests``: method and the kind of path. ``cut``: what the next request of that method ends in, once."""

    def __init__(self, settings: IronicSettings) -> None:
        super().__init__(settings)
        self.requests: Counter[str] = Counter()
        self.cut: str | None = None

    def request(
        self, method: str, path: Sequence[str], document: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Any:
        self.requests[f"{method} {'/'.join((path[0], *path[2:]))}"] += 1
        answer = super().request(method, path, document, parameters)
        if self.cut == f"{method} {path[-1]}":
            self.cut = None
            raise Killed
        return answer


class Killed(BaseException):
    """The worker's process ends here: the request was served, and its answer reached nobody."""


class Operator:
    """Works on Ironic past the driver."""

    def __init__(self, ironic: IronicServer, directory: Path) -> None:
        self.directory = directory
        self.connector = CountedConnector(settings(ironic))

    def node(self, name: str) -> Mapping[str, Any]:
        return dict(self.connector.get("nodes", name))

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [row for row in self.connector.pages("nodes", ("uuid", "name")) if row["name"] == name]

    def enroll(self, name: str | None, mac: str, **more: Any) -> str:
        row = {"driver": "fake-hardware", "properties": {"cpus": 4, "memory_mb": 2048}, **more}
        made = self.connector.post(("nodes",), row if name is None else {**row, "name": name})
        self.connector.post(("ports",), {"node_uuid": made["uuid"], "address": mac})
        return str(made["uuid"])

    def macs(self, name: str) -> set[str]:
        """Of the node's ports."""
        return {str(row["address"]) for row in self.connector.members("ports", node=name)}

    def power(self, name: str, target: str) -> None:
        self.connector.put(("nodes", name, "states", "power"), {"target": target})

    def provision(self, name: str, target: str, state: str) -> None:
        """Ends in ``state``."""
        self.connector.put(("nodes", name, "states", "provision"), {"target": target})
        eventually(lambda: self.node(name)["provision_state"], lambda seen: seen == state)

    def maintenance(self, name: str, reason: str | None) -> None:
        if reason is None:
            self.connector.request("DELETE", ("nodes", name, "maintenance"))
        else:
            self.connector.put(("nodes", name, "maintenance"), {"reason": reason})

    def driver_info(self, name: str) -> Mapping[str, Any]:
        """With the passwords, which its API masks."""
        return self._kept(name, "driver_info")

    def config_drive(self, name: str) -> Mapping[str, Any]:
        """As Ironic has kept it; its API shows none."""
        drive = self._kept(name, "instance_info")["configdrive"]
        return dict(json.loads(drive) if isinstance(drive, str) else drive)

    def _kept(self, name: str, column: str) -> Mapping[str, Any]:
        with sqlite3.connect(f"file:{self.directory / 'ironic.sqlite'}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            (row,) = database.execute("SELECT * FROM nodes WHERE name = ?", (name,)).fetchall()
        return dict(json.loads(row[column]))

    def story(self, name: str) -> list[str]:
        """What ended, from the node's history."""
        rows = self.connector.get("nodes", name, "history")["history"]
        return [str(row.get("event")) for row in rows]


@contextmanager
def running(directory: Path, **more: Any) -> Iterator[IronicServer]:
    try:
        server = IronicServer(directory, settings={**SETTINGS, **more.pop("settings", {})}, **more)
    except packages.Unavailable as error:
        pytest.skip(f"Ironic cannot be installed: {error}")
    with server:
        yield server


def settings(ironic: IronicServer, **more: Any) -> IronicSettings:
    account = {"auth_type": "none"}
    if ironic.password is not None:
        account = {"auth_type": "http_basic", "username": ironic.user, "password": ironic.password}
    return IronicSettings.from_options(
        {
            "endpoint_override": ironic.url,
            "hardware_types": HARDWARE,
            "timeout": 60.0,
            "digest_key": KEY,
            **account,
            **more,
        }
    )


def provisioner(ironic: IronicServer, images: Path, **more: Any) -> IronicProvisioner:
    images.write_text(IMAGES)
    options = settings(ironic, images_file=str(images), **more)
    return IronicProvisioner(options, CountedConnector(options))


def passed_on(request: Request, upstream: str) -> Answer:
    """What Ironic answers to a request that a peer of the test was sent."""
    headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Connection")}
    with requests.Session() as session:
        session.trust_env = False
        got = session.request(request.method, upstream + request.path, headers=headers, data=request.body, timeout=60)
    kept = {name: got.headers[name] for name in got.headers if name.lower().startswith(("content-type", "x-"))}
    return Answer(got.status_code, got.content, kept)


def mac_of(name: str) -> str:
    """Locally administered, of the name."""
    return ":".join(["02", *(f"{byte:02x}" for byte in uuid5(NAMESPACE_DNS, name).bytes[:5])])
