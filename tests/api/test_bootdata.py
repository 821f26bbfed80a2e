"""Tarballs as HTTP has them: HEAD, conditions, ranges; and what a machine sees while the database is away."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text, update
from sqlalchemy.exc import OperationalError

from dev import postgres
from drydock.db import migrate
from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.db.tables import boot_contexts
from drydock.model.boot_action import Report, ReportDetail
from drydock.model.boot_context import BundleKind
from drydock.orchestrator.services.boot_actions import BootService
from tests.api.conftest import AppFactory, Client
from tests.api.seeds import BootedNode, Seeds
from tests.eventually import eventually

FILES = "/bootdata/n01/files"


@pytest.fixture
def content(node: BootedNode) -> bytes:
    return node.tarballs[BundleKind.FILE]


def tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


def test_head_is_get_without_the_bytes(nobody: Client, node: BootedNode, content: bytes) -> None:
    got, head = (nobody(method, FILES, headers=node.header) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    differing = {"x-drydock-req"}
    assert {name: value for name, value in head.headers.items() if name.lower() not in differing} == {
        name: value for name, value in got.headers.items() if name.lower() not in differing
    }
    assert head.headers["Content-Length"] == str(len(content))
    assert head.headers["ETag"] == tag(content)
    assert head.headers["Accept-Ranges"] == "bytes"


def test_what_is_known_already_is_not_sent_again(nobody: Client, node: BootedNode, content: bytes) -> None:
    for known in (tag(content), f'"other", W/{tag(content)}', "*"):
        result = nobody.get(FILES, headers={**node.header, "If-None-Match": known})
        assert (result.status_code, result.content, result.headers["ETag"]) == (304, b"", tag(content))
    for other in ('"other"', tag(content)[:-2] + '"', "nonsense", '"'):
        result = nobody.get(FILES, headers={**node.header, "If-None-Match": other})
        assert (result.status_code, result.content) == (200, content)


def test_a_condition_opens_no_door(nobody: Client, node: BootedNode, content: bytes) -> None:
    result = nobody.get(FILES, headers={"X-Bootaction-Key": "0" * 64, "If-None-Match": tag(content)})
    assert result.status_code == 403


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
        ("bytes=-99999999", slice(0, None)),
        ("bytes=0-0", slice(0, 1)),
    ],
)
def test_a_part(nobody: Client, node: BootedNode, content: bytes, asked: str, part: slice) -> None:
    result = nobody.get(FILES, headers={**node.header, "Range": asked, "If-Range": tag(content)})
    assert (result.status_code, result.content) == (206, content[part])
    first, last, _ = part.indices(len(content))
    assert result.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(content)}"
    assert result.headers["Content-Length"] == str(len(content[part]))


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,3-4"},
        {"Range": "lines=0-1"},
        {"Range": "nonsense"},
        {"Range": "bytes=9-3"},
        {"Range": "bytes=x-"},
        {"Range": "bytes=0-9", "If-Range": '"other"'},
    ],
)
def test_what_is_no_part_is_the_whole(
    nobody: Client, node: BootedNode, content: bytes, headers: dict[str, str]
) -> None:
    result = nobody.get(FILES, headers={**node.header, **headers})
    assert (result.status_code, result.content) == (200, content)


def test_a_part_beyond_the_end_is_416(nobody: Client, node: BootedNode, content: bytes) -> None:
    result = nobody.get(FILES, headers={**node.header, "Range": f"bytes={len(content)}-"})
    assert (result.status_code, result.json["reason"]) == (416, "range_not_satisfiable")
    assert result.headers["Content-Range"] == f"bytes */{len(content)}"


def test_the_same_bytes_each_time(nobody: Client, node: BootedNode) -> None:
    assert len({nobody.get(FILES, headers=node.header).content for _ in range(5)}) == 1


@pytest.mark.parametrize("column", ["ended", "expires"])
def test_an_ended_or_expired_context_serves_nothing(
    nobody: Client, node: BootedNode, api_database: str, column: str
) -> None:
    assert nobody.get(FILES, headers=node.header).status_code == 200
    engine = create_engine(driver_url(api_database))
    with engine.begin() as connection:
        connection.execute(update(boot_contexts).values({column: text("now()")}))
    engine.dispose()
    assert nobody.get(FILES, headers=node.header).status_code == 404


def test_a_lost_connection_is_nobodys_business(nobody: Client, node: BootedNode, api_database: str) -> None:
    """As after a restart that went by unnoticed: each pooled connection is dead, and the request is good."""
    assert nobody.get(FILES, headers=node.header).status_code == 200
    _end_connections(api_database)
    assert nobody.get(FILES, headers=node.header).status_code == 200
    _end_connections(api_database)
    assert nobody.post(f"/bootaction/{node.actions['greet']}", {}, headers=node.header).status_code == 200


def test_an_upgrade_of_the_schema_is_nobodys_business(nobody: Client, node: BootedNode, api_database: str) -> None:
    """Prepared statements are told that what they were made for has changed."""
    assert nobody.get(FILES, headers=node.header).status_code == 200
    engine = create_engine(driver_url(api_database))
    for change in ("TYPE varchar", "TYPE text"):
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE boot_contexts ALTER COLUMN node {change}"))
        assert nobody.get(FILES, headers=node.header).status_code == 200
    engine.dispose()


def _end_connections(url: str) -> None:
    engine = create_engine(driver_url(url))
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'drydock-api'"
            )
        )
    engine.dispose()


def _away(url: str) -> None:
    """Nobody gets in any more; who is in is thrown out. A restart as far as clients can tell, and quicker."""
    _administer(url, "ALTER DATABASE {} ALLOW_CONNECTIONS false")
    _administer(url, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'")


def _administer(url: str, statement: str) -> None:
    address = driver_url(url).rpartition("/")
    engine = create_engine(f"{address[0]}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement.format(address[2])))
    engine.dispose()


@pytest.fixture
def outage(api_database: str) -> Iterator[threading.Event]:
    """Set it to bring the database back."""
    over = threading.Event()

    def return_later() -> None:
        over.wait(20)
        _administer(api_database, "ALTER DATABASE {} ALLOW_CONNECTIONS true")

    _away(api_database)
    thread = threading.Thread(target=return_later)
    thread.start()
    yield over
    over.set()
    thread.join()


def test_a_machine_is_kept_waiting_and_an_operator_is_not(
    noauth_app: object, seeds: Seeds, api_database: str, request: pytest.FixtureRequest
) -> None:
    node = seeds.booted_node()
    machine, operator = Client(noauth_app, node.header), Client(noauth_app, {"X-Auth-Token": "reader"})
    over: threading.Event = request.getfixturevalue("outage")
    assert (operator.get("/tasks?limit=1").status_code, over.is_set()) == (503, False)
    waiting = threading.Timer(0.3, over.set)
    waiting.start()
    assert machine.get(FILES).content == node.tarballs[BundleKind.FILE]
    assert machine.post(f"/bootaction/{node.actions['greet']}", {"status": "success"}).status_code == 200
    assert over.is_set()
    waiting.join()


def test_waiting_has_an_end(make_app: AppFactory, seeds: Seeds, request: pytest.FixtureRequest) -> None:
    node = seeds.booted_node()
    app = make_app({"api": {"auth_strategy": "noauth", "node_hold_seconds": "1"}})
    request.getfixturevalue("outage")
    result = Client(app, node.header).get(FILES)
    assert (result.status_code, result.json["reason"], result.json["retry"]) == (503, "database_unavailable", True)


def test_a_crash_of_the_database_goes_by(server_home: Path) -> None:
    """A backend killed with -9 makes PostgreSQL end all others and recover, while machines ask and report."""
    with postgres.start(server_home / "postgres") as server:
        migrate.upgrade(server.url)
        engine = connect(server.url, pool_size=4, max_overflow=4, application_name="tests")
        node = Seeds(Database(engine)).booted_node()
        machines = [_Machine(BootService(Database(engine), hold_seconds=30), node, number) for number in range(4)]
        for machine in machines:
            machine.start()
        for _ in range(3):
            _crash(server.url, machines)
        for machine in machines:
            machine.stop()
        assert [machine.failure for machine in machines] == [None] * 4
        # What the pool still has may be from before the last crash.
        engine.dispose()
        with Database(engine).unit_of_work() as uow:
            told = sorted(message.message for message in uow.tasks.get(node.task_id).result.messages)
        assert told == sorted(line for machine in machines for line in machine.said)
        engine.dispose()


class _Machine(threading.Thread):
    """Asks and reports, each report once, until it is told to stop."""

    def __init__(self, service: BootService, node: BootedNode, number: int) -> None:
        super().__init__()
        self.said: list[str] = []
        self.failure: Exception | None = None
        self.answered = threading.Event()
        self._number = number
        self._node = node
        self._service = service
        self._stopping = threading.Event()

    def run(self) -> None:
        key = bytes.fromhex(self._node.key)
        try:
            while not self._stopping.is_set():
                self._service.bundle("n01", BundleKind.FILE, key)
                line = f"machine {self._number} line {len(self.said)}"
                self._service.report(
                    self._node.actions["greet"], key, Report(details=(ReportDetail(message=line, error=False),))
                )
                self.said.append(line)
                self.answered.set()
        except Exception as exc:  # noqa: BLE001 - whatever it was, the test fails with it
            self.failure = exc
            self.answered.set()

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def _crash(url: str, machines: list[_Machine]) -> None:
    """Kill a backend in the middle of the traffic, and wait until every machine was answered again."""
    engine = create_engine(driver_url(url))

    def backend() -> int | None:
        """None while the database still recovers from the crash before, and until a machine is back."""
        try:
            with engine.connect() as connection:
                found = connection.execute(text("SELECT pid FROM pg_stat_activity WHERE application_name = 'tests'"))
                return found.scalars().first()
        except OperationalError:
            return None

    pid = eventually(backend, lambda pid: pid is not None)
    engine.dispose()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    for machine in machines:
        machine.answered.clear()
    for machine in machines:
        assert machine.answered.wait(30 if machine.is_alive() else 0), machine.failure
        assert machine.failure is None


@pytest.mark.parametrize(("name", "asked"), [("n01", "N01"), ("Rack1-N01", "rack1-n01")])
def test_names_are_compared_as_dns_does(nobody: Client, reader: Client, seeds: Seeds, name: str, asked: str) -> None:
    node = seeds.booted_node(name)
    other = seeds.booted_node("n02")
    as_node = nobody.named(**node.header)
    for where in ("bootdata", "bootactions/nodes"):
        for kind, path in ((BundleKind.FILE, "files"), (BundleKind.UNIT, "units")):
            assert as_node.get(f"/{where}/{asked}/{path}").content == node.tarballs[kind]
            assert as_node.get(f"/{where}/{asked}/{path}", headers={"Range": "bytes=0-9"}).status_code == 206
            assert nobody.get(f"/{where}/{asked}/{path}", headers=other.header).status_code == 403
        assert as_node.get(f"/{where}/{asked}/script").text == as_node.get(f"/{where}/{name}/script").text
        event = {"name": "init", "description": "d", "event_type": "start", "origin": "cloudinit", "timestamp": 1}
        assert as_node.post(f"/{where}/{asked}/events", event).status_code == 200
        data = {"generator": "lshw", "format": "text/plain", "element": where}
        assert as_node.post(f"/{where}/{asked}/builddata", data).status_code == 201
    for query in ("", "latest=True"):
        found = reader.get(f"/nodes/{asked}/builddata", query_string=query).json
        assert {item["node_name"] for item in found} == {name}


def test_each_of_two_names_that_differ_in_case_gets_its_own(nobody: Client, seeds: Seeds) -> None:
    """Two designs may write a name differently: the spelling that was asked for goes first."""
    for node in (seeds.booted_node("n01"), seeds.booted_node("N01")):
        result = nobody.named(**node.header).get(f"/bootdata/{node.name}/files")
        assert (result.status_code, result.content) == (200, node.tarballs[BundleKind.FILE])
