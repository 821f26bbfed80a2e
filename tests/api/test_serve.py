"""The service as it runs: ``drydock-api`` and plain gunicorn, real processes on a real socket."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev import processes
from drydock import conf
from drydock.serve import gunicorn_settings
from tests.api.seeds import Seeds
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
ADMIN = {"X-Auth-Token": "admin"}
JSON = {**ADMIN, "Content-Type": "application/json"}
API = (sys.executable, "-c", "from drydock.serve import main; main()")
GUNICORN = (
    sys.executable,
    "-m",
    "gunicorn",
    "-c",
    str(ROOT / "etc/drydock/gunicorn.conf.py"),
    "drydock.wsgi:application",
)


def environment(database: str, port: int, home: Path, **more: str) -> dict[str, str]:
    return {
        **processes.neutral_environment(),
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(ROOT),
        "DRYDOCK_DATABASE_URL": database,
        "OS_API__AUTH_STRATEGY": "noauth",
        "OS_API__PORT": str(port),
        "OS_BOOTACTION__SECRETS": secrets.token_hex(32),
        "OS_DRIVERS__NODE": "simulated",
        **more,
    }


@pytest.fixture(scope="module", params=[API, GUNICORN], ids=["drydock-api", "gunicorn"])
def server(
    request: pytest.FixtureRequest, api_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """Where it listens, and the directory it may write to."""
    from dev.ports import free_port

    home = tmp_path_factory.mktemp("home")
    port = free_port()
    child = processes.start(
        "api", request.param, log=home / "api.log", environment=environment(api_database, port, home), directory=home
    )
    url = f"http://127.0.0.1:{port}"
    try:
        child.wait_ready(processes.http_ready(f"{url}/versions"))
        yield url, home
        assert child.stop() == 0
        # Nothing left behind, neither shared metrics nor gunicorn's control socket (stevedore keeps its cache).
        assert {path.name for path in home.iterdir()} <= {"api.log", ".cache"}
    finally:
        child.kill()


@pytest.fixture
def url(server: tuple[str, Path]) -> str:
    return server[0] + "/api/v1.0"


def test_it_serves_and_warns(server: tuple[str, Path], url: str) -> None:
    assert requests.get(f"{url}/health", timeout=10).status_code == 204
    assert requests.get(f"{url}/tasks", timeout=10).status_code == 401
    assert requests.get(f"{url}/tasks/", headers=ADMIN, timeout=10).json() == []
    log = (server[1] / "api.log").read_text()
    assert "AUTHENTICATION IS OFF" in log
    assert "Starting gunicorn" in log
    assert "Logging error" not in log


def test_a_list_is_streamed(url: str, seeds: Seeds) -> None:
    seeds.tree(*(f"n{number:03}" for number in range(300)))
    reply = requests.get(f"{url}/tasks", headers=ADMIN, timeout=30)
    assert len(reply.json()) == 301
    assert reply.headers["Transfer-Encoding"] == "chunked"


def test_a_large_body_is_413_however_it_is_sent(url: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * MIB

    for body in (b" " * 20 * MIB, pieces()):
        reply = requests.post(f"{url}/tasks", data=body, headers=JSON, timeout=30)
        assert (reply.status_code, reply.json()["reason"]) == (413, "too_large")


def test_a_chunked_body_is_read(url: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"action": "validate_design",'
        yield b'"design_ref": "drydock://designs/' + b"0" * 64 + b'"}'

    reply = requests.post(f"{url}/tasks", data=pieces(), headers=JSON, timeout=30)
    assert reply.status_code == 201
    assert reply.headers["Location"].startswith("/api/v1.0/tasks/")


def test_an_unknown_method_is_refused_in_our_shape(url: str) -> None:
    reply = requests.request("BREW", f"{url}/tasks", headers=ADMIN, timeout=10)
    assert reply.status_code in (400, 405)
    assert reply.json()["type"] == "error"


@pytest.mark.parametrize("name", ["X_Identity_Status", "X-Identity_Status", "x_roles"])
def test_spelling_a_header_otherwise_forges_nothing(url: str, name: str) -> None:
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=10)
    connection.putrequest("GET", "/api/v1.0/tasks")
    connection.putheader(name, "Confirmed")
    connection.putheader("X_Roles", "admin")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_a_script_name_moves_no_door(url: str) -> None:
    headers = {"SCRIPT_NAME": "/api/v1.0/bootaction", "X-Identity-Status": "Confirmed", "X-Roles": "admin"}
    reply = requests.get(f"{url}/tasks", headers=headers, timeout=10)
    assert reply.status_code == 401


def test_workers_add_up_their_metrics(url: str, server: tuple[str, Path]) -> None:
    for _ in range(40):
        requests.get(f"{url}/nodes/x/builddata", headers=ADMIN, timeout=10)

    def counted() -> float:
        text = requests.get(f"{url}/metrics", timeout=10).text
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith("drydock_http_requests_total") and "{hostname}/builddata" in line
        )

    eventually(counted, lambda count: count == 40.0)
    assert {counted() for _ in range(10)} == {40.0}, "whichever worker is asked"


@pytest.mark.parametrize("command", [API, GUNICORN], ids=["drydock-api", "gunicorn"])
def test_noauth_refuses_to_serve_others(command: tuple[str, ...], tmp_path: Path) -> None:
    settings = environment("postgresql+psycopg2://x@127.0.0.1:9/x", 9, tmp_path, OS_API__BIND_HOST="0.0.0.0")
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.returncode != 0
    assert "noauth" in ended.stderr + ended.stdout


def test_importing_the_application_does_nothing() -> None:
    program = "import drydock.wsgi, sys; assert 'drydock.bootstrap' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], timeout=60, cwd=ROOT, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0


def test_every_server_finds_the_application() -> None:
    """uWSGI and mod_wsgi look into the module's dictionary."""
    program = (
        "import drydock.wsgi as m, sys; assert callable(vars(m)['application']); assert 'falcon' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, cwd=ROOT, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0


_BARE = """
from concurrent.futures import ThreadPoolExecutor
from falcon.testing import TestClient
from drydock.wsgi import application
with ThreadPoolExecutor(8) as threads:
    built = set(threads.map(lambda _: id(application.build()), range(8)))
print(len(built), TestClient(application).simulate_get("/versions").status_code)
"""


def test_a_bare_server_builds_it_once_or_says_why_not(api_database: str, tmp_path: Path) -> None:
    right = environment(api_database, 9, tmp_path)
    for settings in (right, {**right, "OS_API__NODE_LISTEN": "nonsense"}):
        done = subprocess.run(
            [sys.executable, "-c", _BARE], env=settings, cwd=tmp_path, timeout=60, capture_output=True, text=True
        )
        assert (done.stdout == "1 200\n") is (settings is right)
    assert "the API cannot serve: OS_API__NODE_LISTEN in the environment" in done.stderr


def test_settings_follow_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_API__BIND_HOST", "::1")
    monkeypatch.setenv("OS_API__WORKERS", "7")
    settings = gunicorn_settings(conf.load())
    assert (settings["bind"], settings["workers"], settings["threads"]) == (["[::1]:9000"], 7, 16)
    monkeypatch.setenv("OS_API__BIND_HOST", "192.0.2.1")
    assert gunicorn_settings(conf.load())["bind"] == ["192.0.2.1:9000"]
