"""The whole WSGI stack in process, as ``drydock-api`` has it, on a real PostgreSQL and a real Keystone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import Result, TestClient
from sqlalchemy import Engine, create_engine

from dev.keystone import KeystoneServer
from drydock import conf
from drydock.bootstrap.api import application_of, build_services
from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.log import FieldFormatter
from tests.api.replies import check_reply
from tests.api.seeds import BootedNode, Seeds
from tests.eventually import eventually
from tests.factories.rows import delete_rows

V1 = "/api/v1.0"
#: Nobody listens there.
NO_SIMULATOR = "http://127.0.0.1:9"


class Client:
    """Requests to one application with these headers."""

    def __init__(self, app: Any, headers: Mapping[str, str]) -> None:
        self._client = TestClient(app)
        self._headers = dict(headers)

    def __call__(self, method: str, path: str, **arguments: Any) -> Result:
        """``path`` below /api/v1.0, or absolute when it starts with two slashes."""
        full = path[1:] if path.startswith("//") else V1 + path
        headers = {**self._headers, **arguments.pop("headers", {})}
        result = self._client.simulate_request(method, full, headers=headers, remote_addr="127.0.0.1", **arguments)
        assert result.headers["X-Drydock-Req"]
        check_reply(method, full.partition("?")[0], result.status_code, result.headers, result.content)
        return result

    def get(self, path: str, **arguments: Any) -> Result:
        return self("GET", path, **arguments)

    def post(self, path: str, body: object = None, **arguments: Any) -> Result:
        return self("POST", path, json=body, **arguments)

    def named(self, **headers: str) -> Client:
        return Client(self._client.app, {**self._headers, **headers})


@pytest.fixture(scope="session")
def api_database(new_migrated_database: Callable[[], str]) -> str:
    """A database of our own: requests commit."""
    return new_migrated_database()


@pytest.fixture(scope="session")
def _cleaner(api_database: str) -> Iterator[Engine]:
    engine = create_engine(driver_url(api_database), pool_pre_ping=True)  # tests end connections
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> None:
    if "api_database" not in request.fixturenames:
        return
    engine: Engine = request.getfixturevalue("_cleaner")
    with engine.begin() as connection:
        delete_rows(connection)


def logged_requests(caplog: pytest.LogCaptureFixture, *request_ids: str) -> Sequence[str]:
    """The line of each of these requests, without the time. They are written soon after the answers."""

    def lines() -> list[str]:
        records = {record.__dict__.get("request_id"): record for record in caplog.records}
        found = [records[request_id] for request_id in request_ids if request_id in records]
        return [FieldFormatter().format(record).partition(" ")[2] for record in found]

    return eventually(lines, lambda found: len(found) == len(request_ids))


def with_token(app: Any, token: str) -> Client:
    return Client(app, {"X-Auth-Token": token})


AppFactory = Callable[..., Any]


@pytest.fixture(scope="session")
def make_app(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> AppFactory:
    """An application with options of its own: ``make_app({"api": {"threads": "4"}})``.

    ``services``: fakes in place of those of ``ApiServices``.
    """

    def make(*sections: Mapping[str, Mapping[str, str]], **services: Any) -> Any:
        options: dict[str, dict[str, str]] = {
            "database": {"url": api_database, "pool_size": "2"},
            "drivers": {"node": "simulated", "oob": "redfish"},
            "simulated": {"url": NO_SIMULATOR},
            "bootaction": {"secrets": secrets.token_hex(32)},
        }
        for more in sections:
            for name, values in more.items():
                options.setdefault(name, {}).update(values)
        file: Path = tmp_path_factory.mktemp("conf") / "drydock.conf"
        lines = [f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) for name, values in options.items()]
        file.write_text("\n".join(lines))
        loaded = conf.load(["--config-file", str(file)], env={})
        return application_of(replace(build_services(loaded), **services), loaded)

    return make


@pytest.fixture(scope="session")
def noauth_app(make_app: AppFactory) -> Any:
    return make_app({"api": {"auth_strategy": "noauth"}})


@pytest.fixture(scope="session")
def keystone_app(make_app: AppFactory, keystone: KeystoneServer) -> Any:
    options = dict(keystone.middleware_options())
    return make_app({"keystone_authtoken": options, "auth": {"token_cache_seconds": "0"}})


@pytest.fixture
def admin(noauth_app: Any) -> Client:
    return with_token(noauth_app, "admin")


@pytest.fixture
def reader(noauth_app: Any) -> Client:
    return with_token(noauth_app, "reader")


@pytest.fixture
def nobody(noauth_app: Any) -> Client:
    return Client(noauth_app, {})


@pytest.fixture
def node(seeds: Seeds) -> BootedNode:
    return seeds.booted_node()


@pytest.fixture
def seeds(api_database: str) -> Iterator[Seeds]:
    engine = connect(api_database, pool_size=1, max_overflow=1, application_name="tests")
    yield Seeds(Database(engine))
    engine.dispose()
