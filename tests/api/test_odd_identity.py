"""Whatever happens while a token is checked: JSON with a request id, 401, 403, 503 or 500 by whose fault it is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from dev.keystone import KeystoneServer
from tests.api.conftest import AppFactory, Client
from tests.api.odd_keystone import OddKeystone, odd_keystone

PASSWORD = {
    "auth_type": "password", "username": "drydock", "password": "p", "user_domain_name": "Default",
    "project_name": "service", "project_domain_name": "Default",
}  # fmt: skip


@pytest.fixture
def odd() -> Iterator[OddKeystone]:
    with odd_keystone() as server:
        yield server


@pytest.fixture
def odd_app(odd: OddKeystone, make_app: AppFactory) -> Any:
    settings = {**PASSWORD, "auth_url": odd.auth_url, "www_authenticate_uri": odd.auth_url, "http_connect_timeout": "1"}
    return make_app({"keystone_authtoken": settings, "auth": {"token_cache_seconds": "600"}})


def asking(app: Any, token: str = "t" * 20, **headers: str) -> Any:
    return Client(app, {"X-Auth-Token": token}).get("/tasks", headers=headers)


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<html>welcome</html>"),
        (200, "application/json", b"{}"),
        (200, "application/json", b"[]"),
        (200, "application/json", b'{"token": null}'),
        (200, "application/json", b'{"token": {"user": {}}}'),
        (200, "application/json", b"\xff\xfe"),
        (200, "application/json", b""),
        (204, "application/json", b""),
        (300, "application/json", b"{}"),
        (302, "text/html", b""),
        (403, "application/json", b'{"error": {}}'),
        (429, "text/plain", b"slow down"),
        (500, "text/html", b"<html>oops</html>"),
        (503, "application/json", b"{}"),
    ],
)
def test_a_keystone_that_answers_nonsense_is_an_outage_that_passes(
    odd: OddKeystone, odd_app: Any, answer: tuple[int, str, bytes]
) -> None:
    odd.answer = answer
    reply = asking(odd_app)
    assert (reply.status_code, reply.json["reason"], reply.json["retry"]) == (503, "unavailable", True)
    assert "html" not in reply.text
    odd.answer_reader()
    assert asking(odd_app).status_code == 200, "nothing of it is remembered"


def test_a_token_with_parts_of_another_kind_is_our_own_fault_and_no_page(odd: OddKeystone, odd_app: Any) -> None:
    """What keystonemiddleware and keystoneauth make of it nobody foresees; the client gets a request id."""
    odd.answer = (200, "application/json", json.dumps(odd.token(application_credential="a string")).encode())
    reply = asking(odd_app)
    assert (reply.status_code, reply.json["reason"], reply.json["type"]) == (500, "internal_error", "error")
    assert reply.headers["X-Drydock-Req"] in reply.json["message"]
    assert "Traceback" not in reply.text
    nobody = Client(odd_app, {})
    assert nobody.get("/health").status_code == 204
    assert 'drydock_unforeseen_errors_total{where="api"} 1.0' in nobody.get("/metrics").text


def test_a_hung_keystone_holds_one_request_at_a_time(odd: OddKeystone, odd_app: Any) -> None:
    odd.hangs = True
    assert asking(odd_app).status_code == 503
    began = time.monotonic()
    for number in range(5):
        assert asking(odd_app, token=f"another-{number}").status_code == 503
    assert time.monotonic() - began < 1, "the others are told at once"
    odd.hangs = False


@pytest.mark.parametrize("token", ["\xff\xfe", "two words", "tab\there", "\x7f", "x" * 8193, " ", "", "\u2028"])
@pytest.mark.parametrize("header", ["X-Auth-Token", "X-Storage-Token", "X-Service-Token"])
def test_what_cannot_be_a_token_is_asked_of_nobody(odd: OddKeystone, odd_app: Any, token: str, header: str) -> None:
    odd.answer_reader()
    client = Client(odd_app, {header: token.encode().decode("latin-1")})
    assert client.get("/tasks").status_code == 401
    assert odd.asked == 0


class TestRealTokens:
    """Of a real Keystone, in each shape that it gives them."""

    def body(self, keystone: KeystoneServer, user: str, scope: Mapping[str, Any] | str | None) -> dict[str, Any]:
        known = keystone.users[user]
        credentials = {"name": known.name, "password": known.password, "domain": {"name": "Default"}}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": credentials}}}
        return {"auth": auth if scope is None else {**auth, "scope": scope}}

    def token(self, keystone: KeystoneServer, user: str, scope: Mapping[str, Any] | str | None) -> str:
        made = requests.post(f"{keystone.auth_url}/auth/tokens", json=self.body(keystone, user, scope), timeout=30)
        assert made.status_code == 201, made.text
        return made.headers["X-Subject-Token"]

    def test_an_unscoped_one_may_do_nothing(self, keystone: KeystoneServer, keystone_app: Any) -> None:
        reply = asking(keystone_app, self.token(keystone, "reader", "unscoped"))
        assert (reply.status_code, reply.json["reason"]) == (403, "forbidden")

    def test_of_the_system(self, keystone: KeystoneServer, keystone_app: Any) -> None:
        assert asking(keystone_app, self.token(keystone, "admin", {"system": {"all": True}})).status_code == 200

    def test_access_rules_allow_what_they_name_and_nothing_else(
        self, keystone: KeystoneServer, keystone_app: Any
    ) -> None:
        rules = [
            {"service": "physicalprovisioner", "method": "GET", "path": "/api/v1.0/tasks"},
            {"service": "physicalprovisioner", "method": "GET", "path": "/api/v1.0/designs/*"},
            {"service": "compute", "method": "GET", "path": "/api/v1.0/nodes"},
        ]
        token = keystone.restricted_token("admin", rules)
        client = Client(keystone_app, {"X-Auth-Token": token})
        assert client.get("/tasks").status_code == 200
        assert client.get("/designs/" + "0" * 64).status_code == 404
        for method, path in [("GET", "/nodes"), ("POST", "/tasks"), ("GET", "/designs"), ("DELETE", "/tasks")]:
            reply = client(method, path)
            assert (reply.status_code, reply.json["reason"]) == (401, "not_authenticated"), (method, path)

    def test_a_users_own_token_is_no_services(self, keystone: KeystoneServer, keystone_app: Any) -> None:
        """Else it would lead past the access rules."""
        token = keystone.restricted_token("admin", [{"service": "compute", "method": "GET", "path": "/"}])
        assert asking(keystone_app, token).status_code == 401
        assert asking(keystone_app, token, **{"X-Service-Token": token}).status_code == 401
        assert asking(keystone_app, token, **{"X-Service-Token": keystone.token("admin")}).status_code == 401
