"""What tests of every floor may ask for: a real PostgreSQL, a real Keystone, a free port.

Servers are made when a test first asks, one of each for every test process, and end with it.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev import keystone as keystone_server
from dev import ports, postgres, unprivileged
from drydock.db import migrate
from tests.contract_matrix import pytest_terminal_summary as pytest_terminal_summary

# A shell ignores SIGINT in what it starts with `&`, and children inherit that; tests interrupt their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be made: DRYDOCK_DATABASE_URL's, or an embedded one."""
    if existing := os.environ.get("DRYDOCK_DATABASE_URL"):
        yield existing
        return
    with (
        unprivileged.temporary_directory("drydock-tests-") as directory,
        postgres.start(directory, durable=False) as server,
    ):
        yield server.url


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call, and answers its URL; all are dropped at the end."""
    names: list[str] = []

    def make() -> str:
        names.append(f"drydock_test_{secrets.token_hex(6)}")
        return postgres.create_database(postgres_server, names[-1])

    yield make
    for name in names:
        postgres.drop_database(postgres_server, name)


@pytest.fixture(scope="session")
def new_migrated_database(new_database: Callable[[], str]) -> Callable[[], str]:
    """As ``new_database``, with the schema in it."""

    def make() -> str:
        url = new_database()
        migrate.upgrade(url)
        return url

    return make


@pytest.fixture(scope="session")
def database_url(new_migrated_database: Callable[[], str]) -> str:
    """The URL of this test process's own database, with the schema in it. Tests leave it as they found it."""
    return new_migrated_database()


@pytest.fixture
def server_home() -> Iterator[Path]:
    """For the files of a server that refuses to run as root."""
    with unprivileged.temporary_directory("drydock-tests-") as directory:
        yield directory


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[keystone_server.KeystoneServer]:
    """A Keystone with users admin, member and reader. Who stops it starts it again."""
    with keystone_server.start(tmp_path_factory.mktemp("keystone") / "state") as server:
        yield server


@pytest.fixture
def free_port() -> int:
    return ports.free_port()
