"""What clients see of a database that answers, and not as it should."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from drydock.db.engine import driver_url
from tests.api.conftest import AppFactory, Client
from tests.api.seeds import Seeds
from tests.api.test_serve import API, environment

WORKER = (sys.executable, "-c", "from drydock.worker import main; main()")
NEW_TASK = {"action": "validate_design", "design_ref": "drydock://designs/" + "0" * 64}
FILES = "/bootdata/n01/files"


class Server:
    def __init__(self, url: str) -> None:
        here = make_url(driver_url(url))
        self.name = here.database
        self._engine = create_engine(here.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def execute(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement.format(self.name)), {"name": self.name})

    def set_read_only(self, value: str) -> None:
        self.execute(f"ALTER DATABASE {{}} SET default_transaction_read_only = {value}", END_SESSIONS)

    def close(self) -> None:
        self._engine.dispose()


END_SESSIONS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"


@pytest.fixture
def server(api_database: str) -> Iterator[Server]:
    made = Server(api_database)
    yield made
    made.execute("ALTER DATABASE {} RESET default_transaction_read_only", END_SESSIONS)
    made.close()


def refused(result: Any) -> bool:
    return (result.status_code, result.json["reason"], result.headers["Retry-After"]) == (
        503,
        "database_unavailable",
        "5",
    )


def test_a_server_that_takes_no_writes(
    noauth_app: Any, seeds: Seeds, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A standby, or a primary that was made read-only: operators come again, machines are held, the cause is logged."""
    node = seeds.booted_node()
    admin, machine = Client(noauth_app, {"X-Auth-Token": "admin"}), Client(noauth_app, node.header)
    assert machine.get(FILES).status_code == 200
    server.set_read_only("on")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert refused(admin.post("/tasks", NEW_TASK))
            assert refused(admin.get("/health"))
    causes = [record.__dict__["cause"] for record in caplog.records if "cause" in record.__dict__]
    assert len([cause for cause in causes if "takes no writes" in cause]) == 1

    back = threading.Timer(0.3, server.set_read_only, ["off"])
    back.start()
    path = f"/bootaction/{node.actions['greet']}"
    assert machine.post(path, {"status": "success", "details": [{"message": "m", "error": False}]}).status_code == 200
    back.join()
    assert admin.get("/health").status_code == 204
    assert admin.post("/tasks", NEW_TASK).status_code == 201
    assert machine.post(path, {"status": "success"}).status_code == 409, "the first was kept"


def test_a_password_that_was_changed(
    api_database: str, make_app: AppFactory, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"{server.name}_service"
    server.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'old-s3cret'")
    url = make_url(driver_url(api_database)).set(username=role, password="old-s3cret")
    app = make_app({"database": {"url": url.render_as_string(hide_password=False)}, "api": {"auth_strategy": "noauth"}})
    admin = Client(app, {"X-Auth-Token": "admin"})
    assert admin.get("/health").status_code == 204
    server.execute(f"ALTER ROLE {role} PASSWORD 'new-s3cret'", END_SESSIONS)
    for _ in range(3):
        assert refused(admin.get("/tasks?limit=1"))
        assert refused(admin.get("/health"))
    causes = [record.__dict__["cause"] for record in caplog.records if "cause" in record.__dict__]
    assert [cause for cause in causes if "authentication failed" in cause] == [causes[-1]]
    assert "s3cret" not in caplog.text + str(causes)
    server.execute(f"ALTER ROLE {role} PASSWORD 'old-s3cret'")
    assert admin.get("/health").status_code == 204
    server.execute(END_SESSIONS, f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def latin(new_database: Callable[[], str]) -> Iterator[str]:
    """The URL of a database whose encoding is none to work with."""
    url = make_url(new_database())
    server = Server(url.render_as_string(hide_password=False))
    name = f"{url.database}_latin"
    server.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    yield url.set(database=name).render_as_string(hide_password=False)
    server.execute(f"DROP DATABASE {name}")
    server.close()


@pytest.mark.parametrize("command", [API, WORKER], ids=["api", "worker"])
def test_an_encoding_that_is_not_utf8_stops_the_start(latin: str, tmp_path: Path, command: Sequence[str]) -> None:
    """Waiting does not mend it."""
    assert "ENCODING 'UTF8'" in refusal(command, latin, tmp_path)


def test_a_url_that_cannot_be_one_stops_the_start(tmp_path: Path) -> None:
    said = refusal(API, "postgresql://u:s3cret@word@h/n", tmp_path)
    assert "[database] url" in said
    assert "s3cret" not in said


def refusal(command: Sequence[str], database: str, home: Path) -> str:
    """The one sentence: the last line, below warnings."""
    settings = {**environment(database, 9, home), "OS_DRIVERS__OOB": "redfish"}
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, cwd=home)
    assert ended.returncode == 1
    *before, sentence = ended.stderr.splitlines()
    assert all(" WARNING " in line for line in before)
    return sentence
