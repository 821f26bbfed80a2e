"""The image, built and run as the Dockerfile's first lines say: minutes the first time, then seconds."""

from __future__ import annotations

import json
import socket
from configparser import ConfigParser
from pathlib import Path

import pytest

from dev import image
from dev.ports import free_port
from dev.site_files import write_configuration
from drydock import __version__
from tests.eventually import eventually

pytestmark = pytest.mark.e2e
#: Reached by what listens on all addresses, and not by what listens on 127.0.0.1.
ELSEWHERE = "127.0.0.2"
LIBPQ = "find / -xdev -name 'libpq*.so*' -type f"
PIP = "python -c 'import pip' 2>&1; python3 -m ensurepip 2>&1; command -v pip pip3; true"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    try:
        image.build()
    except image.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def configuration(tmp_path: Path, port: int, database_url: str) -> Path:
    """As a site has it that says nothing of where the API listens."""
    path = tmp_path / "drydock.conf"
    write_configuration(
        path, port=port, database_url=database_url, simulator_url="http://127.0.0.1:9", secret="0" * 64,
        keystone={"auth_url": "http://127.0.0.1:9/v3", "www_authenticate_uri": "http://127.0.0.1:9/v3",
                  "auth_type": "password", "username": "u", "password": "p", "project_name": "p",
                  "user_domain_name": "d", "project_domain_name": "d"},
        settings={},
    )  # fmt: skip
    return changed(path, None)


def changed(path: Path, bind_host: str | None) -> Path:
    parser = ConfigParser(interpolation=None)
    parser.read(path)
    parser.remove_option("api", "bind_host")
    if bind_host is not None:
        parser.set("api", "bind_host", bind_host)
    with path.open("w") as file:
        parser.write(file)
    path.chmod(0o644)  # for the image's user
    return path


@pytest.fixture
def mounted(configuration: Path) -> list[str]:
    return ["--volume", f"{configuration}:/etc/drydock/drydock.conf:ro"]


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def healthy(name: str) -> int:
    return image.inside(name, "docker-entrypoint.sh", "healthcheck").returncode


@pytest.fixture
def name() -> str:
    return f"drydock-test-{free_port()}"


def test_what_is_in_it() -> None:
    assert image.inspect("{{.Config.User}}") == "10001:10001"
    labels = json.loads(image.inspect("{{json .Config.Labels}}"))
    assert labels["org.opencontainers.image.title"] == "drydock"
    assert labels["org.opencontainers.image.version"] == __version__
    assert image.run("id", "-u").stdout + image.run("id", "-g").stdout == "10001\n10001\n"
    found = image.run("sh", "-c", PIP).stdout
    assert found.count("No module named") == 2, found
    assert "/pip" not in found
    assert len(image.run("sh", "-c", LIBPQ).stdout.split()) == 1


def test_the_api_listens_on_all_addresses_unless_told_otherwise(
    name: str, port: int, configuration: Path, mounted: list[str]
) -> None:
    with image.running(name, "api", options=mounted):
        eventually(lambda: answers(ELSEWHERE, port), bool, 60)
        eventually(lambda: healthy(name), lambda code: code == 0, 60)
        nowhere = image.inside(
            name, "docker-entrypoint.sh", "healthcheck", environment={"DRYDOCK_HEALTH_URL": "http://127.0.0.1:9/"}
        )
        assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1), nowhere.stderr
    changed(configuration, "127.0.0.3")
    with image.running(name, "api", options=mounted):
        eventually(lambda: answers("127.0.0.3", port), bool, 60)
        eventually(lambda: healthy(name), lambda code: code == 0, 60)
        assert not answers(ELSEWHERE, port)


def test_a_worker_is_well_while_it_runs(name: str, mounted: list[str]) -> None:
    with image.running(name, "worker", options=mounted):
        eventually(lambda: image.logs(name), lambda text: "worker ready" in text, 60)
        assert healthy(name) == 0
