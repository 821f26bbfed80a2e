"""A streaming pair behind an address that moves, or named with several hosts: who writes goes where writing is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from dev import postgres, unprivileged
from drydock.db import migrate
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.errors import BootContextNotFound, DatabaseUnavailable
from drydock.model.boot_context import BundleKind
from drydock.orchestrator.services.boot_actions import BootService
from tests.db.forwarder import Forwarder
from tests.db.uses import fetch, is_unavailable, works, write
from tests.eventually import eventually


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[postgres.EmbeddedPostgres, postgres.EmbeddedPostgres]]:
    """A primary and its standby."""
    with (
        unprivileged.temporary_directory("drydock-tests-") as home,
        postgres.start(home / "primary", durable=False) as primary,
    ):
        migrate.upgrade(primary.url)
        with postgres.start_standby(primary, home / "standby") as standby:
            yield primary, standby


@pytest.fixture
def pair(servers: tuple[postgres.EmbeddedPostgres, postgres.EmbeddedPostgres]) -> tuple[str, str]:
    return servers[0].url, servers[1].url


@pytest.fixture
def moving(pair: tuple[str, str]) -> Iterator[Forwarder]:
    """Leads to the primary at first."""
    with Forwarder(_port(pair[0])) as forwarder:
        yield forwarder


@pytest.fixture
def database(pair: tuple[str, str], moving: Forwarder) -> Iterator[Database]:
    yield from opened(moving.url(pair[0]))


def opened(url: str) -> Iterator[Database]:
    engine = connect(url, pool_size=2, max_overflow=0, application_name="moved")
    database = Database(engine)
    yield database
    database.close()


def _port(url: str) -> int:
    port = make_url(url).port
    assert port is not None
    return port


def test_a_standby_is_unavailable_until_the_address_moves(
    database: Database, moving: Forwarder, pair: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    moving.target = _port(pair[1])
    is_unavailable(database)
    is_unavailable(database)
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(records) == 1, "once, however many come"
    assert "takes no writes" in records[0].__dict__["cause"]
    moving.target = _port(pair[0])
    works(database)


def test_connections_that_became_read_only_are_given_up(
    database: Database, moving: Forwarder, pair: tuple[str, str]
) -> None:
    """Whoever notices: those that only read go to the server that is written to as well."""
    works(database)
    _set_read_only(pair[0], "on")
    try:
        with pytest.raises(DatabaseUnavailable):
            write(database)
        with pytest.raises(DatabaseUnavailable):
            fetch(database)
        is_unavailable(database)
    finally:
        _set_read_only(pair[0], "off")
    works(database)


def test_health_notices_a_pooled_connection_that_became_read_only(database: Database, pair: tuple[str, str]) -> None:
    works(database)
    _set_read_only(pair[0], "on")
    try:
        with pytest.raises(DatabaseUnavailable):
            database.check()
    finally:
        _set_read_only(pair[0], "off")
    database.check()


def _set_read_only(url: str, value: str) -> None:
    _administer(url, f"ALTER SYSTEM SET default_transaction_read_only = {value}", "SELECT pg_reload_conf()")
    eventually(lambda: _administer(url, "SHOW default_transaction_read_only"), lambda shown: shown == value)


def _administer(url: str, *statements: str) -> object:
    """The last answer."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
        return (cursor.fetchone() or (None,))[0]


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://{who}@{standby},{primary}/drydock",
        "postgresql+psycopg2://{who}@/drydock?host={standby}&host={primary}&target_session_attrs=read-write",
        "postgres://{who}@/drydock?host=127.0.0.1,127.0.0.1&port={ports}&target_session_attrs=primary",
    ],
)
def test_several_hosts(pair: tuple[str, str], form: str) -> None:
    primary, standby = (make_url(url) for url in pair)
    url = form.format(
        who=f"{primary.username}:{primary.password}",
        primary=f"127.0.0.1:{primary.port}",
        standby=f"127.0.0.1:{standby.port}",
        ports=f"{standby.port},{primary.port}",
    )
    assert migrate.current(url).state.suitable
    for database in opened(url):
        works(database)


def test_a_machine_is_held_until_the_standby_is_promoted(
    database: Database, moving: Forwarder, servers: tuple[postgres.EmbeddedPostgres, postgres.EmbeddedPostgres]
) -> None:
    """The primary is stopped for good: the last test of the pair."""
    primary, standby = servers
    works(database)
    primary.kill()
    moving.target = _port(standby.url)
    answers: list[str] = []
    service = BootService(database, hold_seconds=30)

    def fetch() -> None:
        try:
            service.bundle("n01", BundleKind.FILE, b"")
        except BootContextNotFound:
            answers.append("from the new primary")

    machine = threading.Thread(target=fetch)
    machine.start()
    is_unavailable(database)
    assert answers == []
    _administer(standby.url, "SELECT pg_promote()")
    machine.join(30)
    assert answers == ["from the new primary"]
    works(database)
