"""Plain requests for tarballs are answered past falcon: as falcon would have."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from falcon.testing import TestClient

from drydock.api.middleware import RequestLog
from drydock.api.operations import TABLE
from drydock.api.plain_bundles import PlainBundles
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.metrics import ApiMetrics
from drydock.orchestrator.services.boot_actions import BootService
from tests.api.conftest import AppFactory, Client, logged_requests
from tests.api.seeds import BootedNode
from tests.eventually import eventually

#: Makes a request one that falcon answers, and changes nothing else.
NOT_PLAIN = {"If-None-Match": '"other"'}
PATHS = [
    f"/{place}/n01/{name}{slash}"
    for place in ("bootdata", "bootactions/nodes")
    for name in ("files", "units")
    for slash in ("", "/")
]


def both(client: Client, path: str, headers: dict[str, str]) -> tuple[Any, Any]:
    return client.get(path, headers=headers), client.get(path, headers={**headers, **NOT_PLAIN})


def headers_of(result: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in result.headers.items() if name.lower() != "x-drydock-req"}


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_falcons(nobody: Client, node: BootedNode, path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        plain, falcons = both(nobody, path, node.header)
        lines = logged_requests(caplog, plain.headers["X-Drydock-Req"], falcons.headers["X-Drydock-Req"])
    assert plain.status_code == falcons.status_code == 200
    assert plain.content == falcons.content
    assert headers_of(plain) == headers_of(falcons)
    assert [
        f"request_id={result.headers['X-Drydock-Req']} method=GET path=/api/v1.0{path} status=200 " in line
        for result, line in zip((plain, falcons), lines, strict=True)
    ] == [True, True]


def test_falcon_is_not_asked(node: BootedNode, api_database: str) -> None:
    asked: list[str] = []

    def refuse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("418 I'm a teapot", [("Content-Type", "text/plain")])
        return []

    engine = connect(api_database, pool_size=1, max_overflow=0, application_name="tests")
    boot = BootService(Database(engine), hold_seconds=0)
    client = TestClient(PlainBundles(refuse, boot, RequestLog(ApiMetrics()), TABLE))
    for path in PATHS:
        plain = client.simulate_get(f"/api/v1.0{path}", headers=node.header)
        assert (plain.status_code, plain.content[:2]) == (200, b"\x1f\x8b")
        assert not asked
        assert client.simulate_get(f"/api/v1.0{path}", headers={**node.header, **NOT_PLAIN}).status_code == 418
        assert asked.pop() == f"/api/v1.0{path}"
    engine.dispose()


def test_both_are_counted_as_one_route(nobody: Client, node: BootedNode) -> None:
    def counted() -> float:
        route = 'method="GET",route="/api/v1.0/bootdata/{hostname}/units",status="200"'
        lines = nobody.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if "_requests_total" in line and route in line)

    before = counted()
    both(nobody, "/bootdata/n01/units", node.header)
    eventually(counted, lambda number: number == before + 2)


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/bootdata/n01/files", None, 401),
        ("/bootdata/n01/files", "", 401),
        ("/bootdata/n01/files", "nonsense", 403),
        ("/bootdata/n01/files", "0" * 64, 403),
        ("/bootdata/n02/files", "0" * 64, 404),
        ('/bootdata/n"01/files', "0" * 64, 404),
        ("/bootdata/n01/other", "0" * 64, 404),
    ],
)
def test_failures_are_falcons(nobody: Client, node: BootedNode, path: str, key: str | None, status: int) -> None:
    plain, falcons = both(nobody, path, {} if key is None else {"X-Bootaction-Key": key})
    assert plain.status_code == falcons.status_code == status
    assert plain.json == falcons.json


def test_a_machine_is_kept_waiting_once(make_app: AppFactory, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(
        {
            "api": {"auth_strategy": "noauth", "node_hold_seconds": "1"},
            "database": {"url": "postgresql+psycopg2://drydock@127.0.0.1:9/drydock"},
        }
    )
    result = Client(app, {"X-Bootaction-Key": "0" * 64}).get("/bootdata/n01/files")
    assert (result.status_code, result.json["reason"]) == (503, "database_unavailable")
    assert [record.getMessage() for record in caplog.records].count(
        "the database is away; a machine is kept waiting"
    ) == 1


def test_what_nobody_foresaw_is_told_as_everywhere(
    make_app: AppFactory, node: BootedNode, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def bundle(self, *_: object) -> None:
            raise RuntimeError("a secret of ours")

    app = make_app({"api": {"auth_strategy": "noauth"}}, boot=Broken())
    for result in both(Client(app, {}), "/bootdata/n01/files", node.header):
        assert (result.status_code, result.json["reason"]) == (500, "internal_error")
        assert result.headers["X-Drydock-Req"] in result.json["message"]
        assert "a secret of ours" not in result.text
    assert caplog.text.count("RuntimeError: a secret of ours") == 2
