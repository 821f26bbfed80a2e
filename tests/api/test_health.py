"""What /health/extended and /metrics say when things are ill, hang, or are not there."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.metrics import EngineMetrics
from drydock.orchestrator.engine.presence import Presence
from tests.api.conftest import AppFactory, Client
from tests.api.odd_keystone import odd_keystone
from tests.api.seeds import Seeds
from tests.api.test_odd_identity import PASSWORD
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
NOAUTH = {"api": {"auth_strategy": "noauth"}}
READER = {"X-Auth-Token": "reader"}


def dependencies(client: Client) -> dict[str, tuple[bool, str]]:
    reply = client.get("/health/extended")
    assert reply.status_code in (200, 503)
    assert all(0 <= each["seconds"] <= 3.5 for each in reply.json["dependencies"])
    return {each["name"]: (each["healthy"], each["detail"]) for each in reply.json["dependencies"]}


@pytest.fixture
def mute() -> Iterator[str]:
    """Accepts connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_what_hangs_is_named_in_three_seconds(make_app: AppFactory, mute: str) -> None:
    with odd_keystone() as keystone:
        settings = {**PASSWORD, "auth_url": keystone.auth_url, "http_connect_timeout": "30"}
        app = make_app(
            {"keystone_authtoken": settings, "simulated": {"url": mute}, "auth": {"token_cache_seconds": "60"}}
        )
        keystone.answer_reader()
        client = Client(app, {"X-Auth-Token": "t" * 20})
        assert dependencies(client)["keystone"] == (True, "")
        keystone.hangs = True
        began = time.monotonic()
        found = dependencies(client)
        assert time.monotonic() - began < 5
    assert found["provisioner"] == (False, "no answer within 3 seconds")
    assert found["keystone"] == (False, "no answer within 3 seconds")
    assert found["database"] == (True, "")


def test_a_hung_check_is_not_started_again(make_app: AppFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        client = Client(make_app(NOAUTH, {"simulated": {"url": url}}), READER)
        for _ in range(3):
            assert not dependencies(client)["provisioner"][0]
        server.settimeout(0.5)
        server.accept()[0].detach()
        with pytest.raises(TimeoutError):
            server.accept()


class TestWorkers:
    @pytest.fixture
    def client(self, make_app: AppFactory) -> Client:
        return Client(make_app(NOAUTH), READER)

    def test_none(self, client: Client) -> None:
        healthy, detail = dependencies(client)["workers"]
        assert not healthy
        assert "no worker is alive" in detail

    def test_each_is_counted_as_long_as_it_lives(self, client: Client, api_database: str) -> None:
        present = [
            Presence(Database(connect(api_database, pool_size=1, max_overflow=0, application_name="any")))
            for _ in range(2)
        ]
        for each in present:
            each.start()
        eventually(lambda: dependencies(client)["workers"], lambda found: found[0])
        eventually(lambda: number(client, "drydock_workers"), lambda found: found == 2)
        for each in present:
            each.stop()
        eventually(lambda: dependencies(client)["workers"][0], lambda healthy: not healthy)

    def test_one_of_the_version_before_is_seen(self, client: Client, api_database: str) -> None:
        engine = connect(api_database, pool_size=1, max_overflow=0, application_name="drydock-worker")
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            assert dependencies(client)["workers"] == (True, "")
        engine.dispose()


def number(client: Client, series: str) -> float | None:
    reply = client.get("/metrics")
    assert reply.status_code == 200
    found = [line.split()[-1] for line in reply.text.splitlines() if line.startswith(series + " ")]
    return float(found[0]) if found else None


def test_the_queue_is_in_the_metrics(make_app: AppFactory, seeds: Seeds) -> None:
    client = Client(make_app(NOAUTH), READER)
    seeds.task()
    assert number(client, "drydock_database_up") == 1
    assert number(client, "drydock_workers") == 0
    assert number(client, 'drydock_queue_tasks{lane="task",state="due"}') == 1
    assert number(client, 'drydock_queue_tasks{lane="task",state="leased"}') == 0
    oldest = number(client, 'drydock_queue_oldest_seconds{lane="task"}')
    assert oldest is not None
    assert 0 <= oldest < 60
    build = [line for line in client.get("/metrics").text.splitlines() if line.startswith("drydock_build_info{")]
    assert 'component="api"' in build[0]
    assert number(client, "process_resident_memory_bytes")


def test_metrics_do_not_need_the_database(make_app: AppFactory, mute: str) -> None:
    for port in ("9", mute.rpartition(":")[2]):
        url = f"postgresql+psycopg2://drydock@127.0.0.1:{port}/drydock"
        client = Client(make_app(NOAUTH, {"database": {"url": url}}), READER)
        began = time.monotonic()
        assert number(client, "drydock_database_up") == 0
        assert time.monotonic() - began < 4
        assert number(client, "drydock_workers") is None


def test_each_alarm_that_is_documented_can_be_raised(make_app: AppFactory, seeds: Seeds) -> None:
    """By name: what the PromQL of docs/production.md asks for is shown by the API or by a worker."""
    seeds.task()
    client = Client(make_app(NOAUTH), READER)
    client.get("/health")
    shown = client.get("/metrics").text
    worker = EngineMetrics()
    worker.tasks_ended.labels("deploy_nodes", "node", "failure").inc()
    worker.unforeseen_errors.labels("engine").inc()
    shown += generate_latest(worker.registry).decode()
    documented = set(re.findall(r"\b(?:drydock|process)_[a-z_]+\b", (ROOT / "docs/production.md").read_text()))
    names = {line.split("{")[0].split()[0] for line in shown.splitlines() if not line.startswith("#")}
    assert {"drydock_workers", "drydock_tasks_ended_total", "process_open_fds"} <= documented
    assert documented - names - {"process_"} <= {"drydock_work", "drydock_change"}


def test_metrics_do_not_need_the_schema(make_app: AppFactory, new_database: Callable[[], str]) -> None:
    client = Client(make_app(NOAUTH, {"database": {"url": new_database()}}), READER)
    assert number(client, "drydock_database_up") == 0
