"""The embedded PostgreSQL: kept data, kills, leftovers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from dev import postgres


def connect(url: str) -> Any:
    return psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


@contextmanager
def cursor(url: str) -> Iterator[Any]:
    with closing(connect(url)) as connection, connection, connection.cursor() as open_cursor:
        yield open_cursor


def test_data_survive_a_stop_and_a_kill(server_home: Path) -> None:
    with postgres.start(server_home) as server, cursor(server.url) as sql:
        sql.execute("CREATE TABLE kept (value text)")

    killed = postgres.start(server_home)
    with cursor(killed.url) as sql:
        sql.execute("INSERT INTO kept VALUES ('before the kill')")
    killed.kill()

    with postgres.start(server_home) as server, cursor(server.url) as sql:
        sql.execute("SELECT value FROM kept")
        assert sql.fetchall() == [("before the kill",)]


def test_the_process_id_of_a_killed_server_may_be_somebody_elses_by_now(server_home: Path) -> None:
    postgres.start(server_home, durable=False).kill()
    lock = (server_home / "data").resolve() / "postmaster.pid"
    _, rest = lock.read_text().split("\n", 1)
    lock.write_text(f"1\n{rest}")

    with postgres.start(server_home, durable=False) as server, cursor(server.url) as sql:
        sql.execute("SELECT 1")
        assert sql.fetchone() == (1,)


def test_a_data_directory_in_use_is_refused(server_home: Path) -> None:
    with (
        postgres.start(server_home, durable=False) as server,
        pytest.raises(postgres.PostgresUnavailable, match=f"process {server.pid} is serving"),
    ):
        postgres.start(server_home, durable=False, orphan_seconds=0.1)


def test_a_wrong_password_is_refused_and_never_shown(server_home: Path) -> None:
    with postgres.start(server_home, durable=False) as server:
        password = make_url(server.url).password
        assert password
        assert password not in repr(server)
        wrong = make_url(server.url).set(password="wrong").render_as_string(hide_password=False)
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"), cursor(wrong):
            pass


def test_databases_are_made_and_dropped_while_in_use(postgres_server: str) -> None:
    url = postgres.create_database(postgres_server, "drydock_test_dropped")
    with closing(connect(url)) as connection, connection.cursor() as sql:
        postgres.drop_database(postgres_server, "drydock_test_dropped")
        with pytest.raises(psycopg2.OperationalError):
            sql.execute("SELECT 1")


def test_data_that_nobody_can_reach_are_kept_elsewhere(tmp_path: Path) -> None:
    """Root's database runs as another user; a checkout may lie where only root may go."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "postgres"
    try:
        with postgres.start(home, durable=False) as server, cursor(server.url) as sql:
            sql.execute("CREATE TABLE kept ()")
        with postgres.start(home, durable=False) as server, cursor(server.url) as sql:
            sql.execute("SELECT count(*) FROM kept")
            assert sql.fetchone() == (0,)
    finally:
        if (home / "data").is_symlink():
            shutil.rmtree((home / "data").resolve().parent)
