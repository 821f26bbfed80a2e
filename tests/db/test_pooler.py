"""pgbouncer between us and PostgreSQL: by session it works, by transaction it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from dev import machine_tools, pgbouncer
from drydock.db import migrate, start_check
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.errors import ConfigurationError, DatabaseUnsuitable
from tests.db.uses import USES, works


@pytest.fixture(scope="module")
def own_database(new_migrated_database: Callable[[], str]) -> str:
    return new_migrated_database()


@contextmanager
def pooler(home: Path, url: str, *, pool_mode: str, pool_size: int = 50) -> Iterator[str]:
    try:
        child, through = pgbouncer.start(home, url, pool_mode=pool_mode, pool_size=pool_size)
    except machine_tools.Unavailable as exc:
        pytest.skip(f"needs pgbouncer: {exc}")
    try:
        yield through
    finally:
        child.stop()


def test_by_session_everything_works(server_home: Path, own_database: str) -> None:
    with pooler(server_home, own_database, pool_mode="session") as url:
        start_check.check(url)
        assert migrate.current(url).state.suitable
        for _ in range(2):
            # The second takes over server connections that the first has used.
            database = Database(connect(url, pool_size=2, max_overflow=0, application_name="pooled"))
            works(database)
            database.close()


@pytest.mark.parametrize("pool_mode", ["transaction", "statement"])
@pytest.mark.parametrize("busy", [False, True])
def test_by_transaction_is_refused_in_a_sentence(
    server_home: Path, own_database: str, pool_mode: str, busy: bool
) -> None:
    with pooler(server_home, own_database, pool_mode=pool_mode) as url:
        if busy:
            # Several of the server's connections are open and free.
            _warm(url)
        with pytest.raises(ConfigurationError, match="pool_mode = session") as refused:
            start_check.check(url)
        assert "\n" not in str(refused.value)
        database = Database(connect(url, pool_size=2, max_overflow=0, application_name="pooled"))
        for use in USES:
            with pytest.raises(DatabaseUnsuitable):
                use(database)
        database.close()


def _warm(url: str) -> None:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with ExitStack() as stack:
        for _ in range(4):
            connection = stack.enter_context(closing(psycopg2.connect(address)))
            connection.autocommit = True
            connection.cursor().execute("SELECT pg_sleep(0)")
