"""The examples for nginx and HAProxy, run in front of a real service; without TLS and on other ports."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from dev import machine_tools, processes, proxies
from dev.ports import LOOPBACK, free_port
from drydock.conf import load
from drydock.model.boot_context import BundleKind
from tests.api.seeds import Seeds
from tests.api.test_serve import ADMIN, API, ROOT, environment

V1 = "/api/v1.0"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Proxied:
    """``operators`` and ``machines``: URLs of the API at the proxy. ``logs``: of the proxy and the API."""

    operators: str
    machines: str
    logs: Sequence[Path]


def nginx(directory: Path, ports: dict[int, int]) -> Sequence[str | Path]:
    text = (ROOT / "etc/nginx/drydock.conf").read_text()
    text = re.sub(r"listen (\d+) ssl;", lambda m: f"listen {LOOPBACK}:{ports[int(m[1]) + 1]};", text)
    text = re.sub(r"^ *ssl_.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"server 127\.0\.0\.1:(\d+)", lambda m: f"server {LOOPBACK}:{ports[int(m[1])]}", text)
    text = text.replace("/var/log/nginx", str(directory))
    temporary = "".join(
        f"{name}_temp_path {directory}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = directory / "nginx.conf"
    main = f"daemon off; pid {directory}/nginx.pid;\n" + (f"user {getpass.getuser()};\n" if os.getuid() == 0 else "")
    file.write_text(f"{main}events {{}}\nhttp {{\n{temporary}include {directory}/drydock.conf;\n}}")
    (directory / "drydock.conf").write_text(text)
    return ["-c", file, "-p", directory, "-e", directory / "nginx.error.log"]


def haproxy(directory: Path, ports: dict[int, int]) -> Sequence[str | Path]:
    text = (ROOT / "etc/haproxy/drydock.cfg").read_text()
    text = re.sub(r"bind :(\d+) ssl crt \S+", lambda m: f"bind {LOOPBACK}:{ports[int(m[1]) + 1]}", text)
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda m: f"{LOOPBACK}:{ports.get(int(m[1]), int(m[1]))}", text)
    file = directory / "haproxy.cfg"
    file.write_text(text)
    return ["-f", file]


@pytest.fixture(scope="module", params=[nginx, haproxy], ids=lambda each: each.__name__)
def proxied(
    request: pytest.FixtureRequest, api_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    try:
        program = proxies.find(request.param.__name__)
    except machine_tools.Unavailable as exc:
        pytest.skip(f"needs nginx and HAProxy: {exc}")
    directory = tmp_path_factory.mktemp("proxy")
    directory.chmod(0o755)
    # The services' ports, and those of the proxies in front: the examples' plus one.
    ports = {9000: free_port(), 9001: free_port(), 444: free_port(), 9002: free_port()}
    variables = environment(
        api_database, ports[9000], directory, OS_API__NODE_LISTEN=f"{LOOPBACK}:{ports[9001]}", OS_API__WORKERS="1"
    )
    with processes.Processes(directory, variables) as children:
        children.start("api", API, ready=processes.http_ready(f"http://{LOOPBACK}:{ports[9000]}/versions"))
        proxy = processes.start(
            "proxy",
            [program.path, *request.param(directory, ports)],
            log=directory / "proxy.log",
            environment={**processes.neutral_environment(), **program.environment},
        )
        try:
            proxy.wait_ready(processes.http_ready(f"http://{LOOPBACK}:{ports[444]}/versions"))
            yield Proxied(
                f"http://{LOOPBACK}:{ports[444]}{V1}",
                f"http://{LOOPBACK}:{ports[9002]}{V1}",
                [*directory.glob("*.log"), directory / "proxy.log"],
            )
        finally:
            proxy.stop()


def test_operators_come_through(proxied: Proxied, seeds: Seeds) -> None:
    assert requests.get(f"{proxied.operators}/health", timeout=10).status_code == 204
    assert requests.get(f"{proxied.operators}/metrics", timeout=10).status_code == 404
    assert requests.get(f"{proxied.operators}/tasks", timeout=10).status_code == 401
    design = b"# \n" * (17 * MIB // 3)
    headers = {**ADMIN, "Content-Type": "application/x-yaml"}
    answer = requests.post(f"{proxied.operators}/designs", data=design, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["size"]) == (201, len(design))
    began = time.monotonic()
    task = seeds.task()
    waited = requests.get(f"{proxied.operators}/tasks/{task.id}?wait=2", headers=ADMIN, timeout=30)
    assert waited.status_code == 200
    assert time.monotonic() - began >= 2


def test_events_are_not_kept_back(proxied: Proxied, seeds: Seeds) -> None:
    task = seeds.task()
    url = f"{proxied.operators}/tasks/{task.id}/events"
    with requests.get(url, headers=ADMIN, stream=True, timeout=2) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(b"retry:")
        assert any(line.startswith(b"id:") for line, _ in zip(lines, range(4), strict=False))


def test_machines_find_their_routes_only(proxied: Proxied, seeds: Seeds) -> None:
    node = seeds.booted_node()
    bundle = requests.get(f"{proxied.machines}/bootdata/n01/files", headers=node.header, timeout=10)
    assert bundle.content == node.tarballs[BundleKind.FILE]
    report = {"details": [{"message": "here", "error": False}]}
    action = f"{proxied.machines}/bootaction/{node.actions['greet']}"
    assert requests.post(action, json=report, headers=node.header, timeout=10).status_code == 200
    for path in ("/tasks", "/health", "/metrics", "/nodes/n01/builddata", "/bootdata/../tasks"):
        assert requests.get(proxied.machines + path, headers=ADMIN, timeout=10).status_code == 404, path


def test_no_log_shows_a_key_or_a_token(proxied: Proxied, seeds: Seeds) -> None:
    node, token = seeds.booted_node(), secrets.token_hex(32)
    requests.get(f"{proxied.machines}/bootdata/n01/files", headers=node.header, timeout=10)
    requests.post(f"{proxied.machines}/bootdata/n01/events/{token}", json={}, timeout=10)
    requests.get(f"{proxied.operators}/{token}?{token}", headers={"X-Auth-Token": token}, timeout=10)
    shown = "".join(log.read_text() for log in proxied.logs)
    assert "GET" in shown
    assert re.findall(r"[0-9A-Fa-f]{40,}", shown) == []


def test_the_examples_wait_longer_than_the_service() -> None:
    options = load(env={})
    longest = max(options.api.max_wait_seconds, options.api.node_hold_seconds)
    assert longest <= 50, "what proxies allow that were told nothing"
    nginx_text, haproxy_text = (
        (ROOT / "etc" / name).read_text() for name in ("nginx/drydock.conf", "haproxy/drydock.cfg")
    )
    seconds = re.findall(r"proxy_read_timeout (\d+)s", nginx_text)
    seconds += re.findall(r"timeout (?:client|server) (\d+)s", haproxy_text)
    assert len(seconds) == 3
    assert all(int(each) > longest + 15 for each in seconds)
