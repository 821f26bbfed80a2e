"""What a session begins with: ours, unless the URL says otherwise; by whichever way it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import bindparam, create_engine, func, make_url, select, text

from drydock.db import migrate
from drydock.db.connections import Connections
from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.db.prepared import Prepared
from drydock.db.thread_connections import ThreadConnections
from tests.db.uses import works

SHOWN = select(func.current_setting(bindparam("of_name")).label("value"))
SHOW = Prepared("show", SHOWN)


def settings(url: str, *names: str) -> dict[str, tuple[str, str]]:
    """By name: in the pool's connections, and in those for prepared statements."""
    engine = connect(url, pool_size=1, max_overflow=0, application_name="ours")
    own = ThreadConnections(Connections(url, application_name="ours"), (SHOW,))
    with engine.connect() as connection:
        found = {
            name: (str(connection.scalar(SHOWN, {"of_name": name})), own.row(SHOW, {"of_name": name}).value)
            for name in names
        }
    engine.dispose()
    return found


def both(**values: str) -> dict[str, tuple[str, str]]:
    return {name: (value, value) for name, value in values.items()}


def test_ours(database_url: str) -> None:
    wanted = both(
        statement_timeout="8s",
        idle_in_transaction_session_timeout="1min",
        synchronous_commit="on",
        application_name="ours",
        client_encoding="UTF8",
        TimeZone="UTC",
    )
    assert settings(database_url, *wanted) == wanted


def test_what_the_url_says_is_kept(database_url: str) -> None:
    options = "-c statement_timeout=61s -c synchronous_commit=off -c search_path=elsewhere -c TimeZone=Asia/Tokyo"
    url = make_url(database_url).update_query_dict({"options": options, "application_name": "theirs"})
    wanted = both(
        statement_timeout="61s",
        synchronous_commit="off",
        search_path="elsewhere",
        application_name="theirs",
        idle_in_transaction_session_timeout="1min",
        # What is computed with has no choice.
        TimeZone="UTC",
    )
    assert settings(url.render_as_string(hide_password=False), *wanted) == wanted


@pytest.fixture
def role(new_database: Callable[[], str]) -> Iterator[str]:
    """The URL of a database as a role that owns it and may be given settings."""
    url = make_url(new_database())
    name = f"{url.database}_role"
    server = create_engine(driver_url(url.render_as_string(hide_password=False)), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'p'"))
        connection.execute(text(f"ALTER DATABASE {url.database} OWNER TO {name}"))
        yield url.set(username=name, password="p").render_as_string(hide_password=False)
        connection.execute(text(f"REASSIGN OWNED BY {name} TO CURRENT_USER"))
        connection.execute(text(f"DROP ROLE {name}"))
    server.dispose()


@pytest.mark.parametrize(("servers", "ours"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
def test_a_commit_that_is_answered_is_kept_whatever_the_server_thinks_of_it(role: str, servers: str, ours: str) -> None:
    """A server may require more than "on", and never gets less."""
    name = make_url(role).username
    with closing(psycopg2.connect(make_url(role).set(drivername="postgresql").render_as_string(False))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"ALTER ROLE {name} SET synchronous_commit = {servers}")
    assert settings(role, "synchronous_commit") == both(synchronous_commit=ours)


def test_another_schema_of_the_same_database(role: str) -> None:
    """Migrations and everything that uses the tables go where ``search_path`` leads."""
    url = make_url(role).update_query_dict({"options": "-csearch_path=drydock2"}).render_as_string(hide_password=False)
    with closing(psycopg2.connect(make_url(role).set(drivername="postgresql").render_as_string(False))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA drydock2")
        migrate.upgrade(url)
        cursor.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('tasks', 'alembic_version')")
        assert cursor.fetchall() == [("drydock2",)]
    database = Database(connect(url, pool_size=1, max_overflow=0, application_name="tests"))
    works(database)
    database.close()
    migrate.downgrade(url, "base")
