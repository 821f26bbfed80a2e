"""``[api] node_listen``: a second address where nothing but the nodes' routes is to be found."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import processes
from dev.ports import LOOPBACK, free_port
from drydock import conf
from drydock.errors import ConfigurationError
from drydock.model.boot_context import BundleKind
from drydock.serve import gunicorn_settings
from tests.api.seeds import Seeds
from tests.api.test_serve import API, GUNICORN, environment

Ports = tuple[int, int]
V1 = "/api/v1.0"


@pytest.fixture(params=[API, GUNICORN], ids=["drydock-api", "gunicorn"])
def ports(request: pytest.FixtureRequest, api_database: str, tmp_path: Path) -> Iterator[Ports]:
    """The operators' and the nodes'."""
    operators, nodes = free_port(), free_port()
    variables = environment(api_database, operators, tmp_path, OS_API__NODE_LISTEN=f"{LOOPBACK}:{nodes}")
    child = processes.start("api", request.param, log=tmp_path / "api.log", environment=variables)
    try:
        child.wait_ready(processes.http_ready(f"http://{LOOPBACK}:{operators}/versions"))
        yield operators, nodes
    finally:
        child.stop()


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    connection.request(method, path, headers=headers or {})
    reply = connection.getresponse()
    assert reply.headers["X-Drydock-Req"]
    answer = reply.status, reply.read()
    connection.close()
    return answer


def test_machines_find_their_routes_and_nothing_else(ports: Ports, seeds: Seeds) -> None:
    operators, nodes = ports
    node = seeds.booted_node()
    tarball = node.tarballs[BundleKind.FILE]
    for port in ports:
        assert ask(port, "GET", f"{V1}/bootdata/n01/files", node.header) == (200, tarball)
        assert ask(port, "GET", f"{V1}/bootactions/nodes/n01/files/", node.header) == (200, tarball)
        assert ask(port, "POST", f"{V1}/bootaction/{node.actions['quiet']}", node.header)[0] == 400
        assert ask(port, "GET", f"{V1}/bootdata/n01/files")[0] == 401
    admin = {"X-Auth-Token": "admin"}
    for path in ("/versions", f"{V1}/health", f"{V1}/metrics", f"{V1}/tasks", f"{V1}/nodes/n01/builddata", "/", "/x"):
        for method in ("GET", "OPTIONS", "POST"):
            status, body = ask(nodes, method, path, admin)
            assert (status, b'"reason": "not_found"' in body) == (404, True), path
    assert ask(operators, "GET", f"{V1}/tasks?limit=1", admin)[0] == 200
    assert ask(operators, "GET", f"{V1}/health")[0] == 204


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "X-Forwarded-Port",
        "X-Forwarded-Host",
        "Forwarded",
        "Server-Port",
        "SERVER_PORT",
        "Script-Name",
        "X-Real-Port",
    ],
)
def test_no_header_moves_a_request_to_the_other_address(ports: Ports, name: str) -> None:
    operators, nodes = ports
    admin = {"X-Auth-Token": "admin"}
    for value in (f"{LOOPBACK}:{operators}", str(operators)):
        assert ask(nodes, "GET", f"{V1}/tasks", {**admin, name: value})[0] == 404
    assert ask(nodes, "GET", f"http://{LOOPBACK}:{operators}{V1}/tasks", admin)[0] == 404
    assert ask(nodes, "GET", f"{V1}/bootdata/../tasks", admin)[0] == 404
    assert ask(nodes, "GET", f"{V1}/bootdata/n01/%2e%2e/tasks", admin)[0] == 404


def test_both_addresses_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_API__NODE_LISTEN", "[::]:9001")
    assert gunicorn_settings(conf.load())["bind"] == ["127.0.0.1:9000", "[::]:9001"]
    monkeypatch.setenv("OS_API__NODE_LISTEN", "boot.example.org:9001")
    assert gunicorn_settings(conf.load())["bind"][1] == "boot.example.org:9001"


@pytest.mark.parametrize(
    "text", ["9001", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:70000", ":9001", "192.0.2.1:9000", "a b:1"]
)
def test_a_bad_address_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("OS_API__NODE_LISTEN", text)
    with pytest.raises(ConfigurationError, match="node_listen"):
        gunicorn_settings(conf.load())
