"""/versions, /health, /metrics, /nodes; and what every reply has."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from falcon.testing import create_environ

from drydock.errors import ConfigurationError
from tests.api.conftest import AppFactory, Client, logged_requests
from tests.api.seeds import Seeds
from tests.eventually import eventually


@pytest.mark.parametrize("path", ["//versions", "//versions/", "//api/versions", "/versions"])
def test_versions(nobody: Client, path: str) -> None:
    result = nobody.get(path)
    assert (result.status_code, result.json) == (200, {"v1.0": {"path": "/api/v1.0", "status": "stable"}})


@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_health_is_open_and_empty(nobody: Client, path: str) -> None:
    result = nobody.get(path)
    assert (result.status_code, result.content) == (204, b"")


def test_extended_health_says_which_dependency_is_ill(nobody: Client, reader: Client) -> None:
    assert nobody.get("/health/extended").status_code == 401
    result = reader.get("/health/extended")
    assert (result.status_code, result.json["code"], result.json["status"]) == (503, 503, "Failure")
    state = {each["name"]: each["healthy"] for each in result.json["dependencies"]}
    assert state == {"database": True, "workers": False, "provisioner": False}
    assert "provisioner" in result.json["message"]


def test_without_a_database_health_is_503(make_app: AppFactory) -> None:
    app = make_app(
        {"api": {"auth_strategy": "noauth"}, "database": {"url": "postgresql+psycopg2://drydock@127.0.0.1:9/drydock"}}
    )
    client = Client(app, {"X-Auth-Token": "reader"})
    for path in ("/health", "/tasks"):
        result = client.get(path)
        assert (result.status_code, result.json["reason"], result.json["retry"]) == (503, "database_unavailable", True)
    assert client.get("/health/extended").status_code == 503


def test_nodes_need_their_provisioner(reader: Client) -> None:
    result = reader.get("/nodes")
    assert (result.status_code, result.json["reason"]) == (503, "driver_unavailable")


def test_build_data_of_a_node(reader: Client, seeds: Seeds) -> None:
    missing = reader.get("/nodes/n01/builddata")
    assert (missing.status_code, missing.json["reason"]) == (404, "build_data_not_found")
    task = seeds.task()
    seeds.build_data("n01", task.id, "old", "new")
    assert [item["data_element"] for item in reader.get("/nodes/n01/builddata").json] == ["old", "new"]
    latest = reader.get("/nodes/n01/builddata", query_string="latest=True").json
    assert [item["data_element"] for item in latest] == ["new"]
    assert set(latest[0]) == {"node_name", "task_id", "collected_date", "generator", "data_format", "data_element"}


def test_metrics_count_by_template_and_never_by_node(nobody: Client) -> None:
    nobody.get("/bootdata/n01/files")
    nobody.get("/bootdata/n02/files")
    counted = 'method="GET",route="/api/v1.0/bootdata/{hostname}/files",status="401"'
    result = eventually(lambda: nobody.get("/metrics"), lambda found: counted in found.text)
    assert result.headers["Content-Type"].startswith("text/plain")
    assert "n01" not in result.text


def test_every_reply_has_an_id_of_its_own(nobody: Client) -> None:
    ids = {nobody.get(path).headers["X-Drydock-Req"] for path in ("/health", "/tasks", "/nothing", "//")}
    assert len(ids) == 4
    assert all(str(UUID(request_id)) == request_id for request_id in ids)


@pytest.mark.parametrize(
    ("method", "why"),
    [("WEBSOCKET", "WEBSOCKET is no method of HTTP"), ("FOO", "Invalid HTTP method"), ("get", "Invalid HTTP method")],
)
def test_a_method_that_does_not_exist(noauth_app: Any, caplog: pytest.LogCaptureFixture, method: str, why: str) -> None:
    """falcon refuses some of them before it asks its middleware."""
    said: list[tuple[str, dict[str, str]]] = []
    environ = {**create_environ("/api/v1.0/versions", remote_addr="127.0.0.1"), "REQUEST_METHOD": method}
    with caplog.at_level(logging.INFO):
        body = b"".join(noauth_app(environ, lambda status, headers, _=None: said.append((status, dict(headers)))))
        ((status, headers),) = said
        (line,) = logged_requests(caplog, headers["x-drydock-req"])
    assert status.startswith("400")
    assert json.loads(body)["message"] == why
    assert f"request_id={headers['x-drydock-req']} method={method} " in line


def test_the_log_names_the_clients_marker_and_no_key(
    reader: Client, nobody: Client, seeds: Seeds, caplog: pytest.LogCaptureFixture
) -> None:
    node = seeds.booted_node()
    marker = str(uuid4())
    with caplog.at_level(logging.DEBUG):
        results = [
            reader.get("/health", headers={"X-Context-Marker": marker, "X-End-User": "somebody"}),
            nobody.get("/bootdata/n01/files", headers={**node.header, "X-Context-Marker": "malformed\x1b"}),
            nobody.get("/bootdata/n01/files", headers={"X-Bootaction-Key": "f" * 64}),
        ]
        ids = [result.headers["X-Drydock-Req"] for result in results]
        lines = logged_requests(caplog, *ids)
    assert re.fullmatch(
        f"INFO drydock.api.request request request_id={ids[0]} method=GET path=/api/v1.0/health status=204 "
        f"seconds=0[.][0-9]{{3}} remote=127.0.0.1 user=reader end_user=somebody marker={marker}",
        lines[0],
    )
    everything = "".join([*lines, *(str(record.__dict__) for record in caplog.records)])
    assert node.key not in everything
    assert "f" * 64 not in everything
    assert "malformed" not in everything


def test_an_unforeseen_error_tells_the_request_id_only(make_app: AppFactory, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def list(self) -> None:
            raise RuntimeError("a secret of ours")

    app = make_app({"api": {"auth_strategy": "noauth"}}, designs=Broken())
    result = Client(app, {"X-Auth-Token": "reader"}).get("/designs")
    assert (result.status_code, result.json["reason"]) == (500, "internal_error")
    assert result.headers["X-Drydock-Req"] in result.json["message"]
    assert "secret" not in result.text
    assert "a secret of ours" in caplog.text


def test_without_keystone_options_the_service_does_not_start(make_app: AppFactory) -> None:
    with pytest.raises(ConfigurationError, match="keystone_authtoken"):
        make_app({})
