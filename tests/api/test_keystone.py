"""Tokens of a real Keystone: good, expired, revoked, and Keystone gone."""

from __future__ import annotations

from typing import Any

import pytest

from dev.keystone import KeystoneServer
from tests.api.conftest import AppFactory, Client, with_token
from tests.api.seeds import Seeds


@pytest.mark.parametrize("user", ["admin", "member", "reader"])
def test_a_token_is_its_user(keystone_app: Any, keystone: KeystoneServer, user: str) -> None:
    assert with_token(keystone_app, keystone.token(user)).get("/tasks").status_code == 200


def test_a_task_is_created_by_the_tokens_user(keystone_app: Any, keystone: KeystoneServer) -> None:
    client = with_token(keystone_app, keystone.token("admin"))
    body = {"action": "validate_design", "design_ref": "drydock://designs/" + "0" * 64}
    created = client.post("/tasks", body, headers={"X-End-User": "somebody", "X-User-Name": "forged"})
    assert created.json["created_by"] == "admin"


def test_an_expired_token_has_no_effect(keystone_app: Any, keystone: KeystoneServer) -> None:
    expired = with_token(keystone_app, keystone.expired_token("admin"))
    body = {"action": "validate_design", "design_ref": "drydock://designs/" + "0" * 64}
    assert expired.post("/tasks", body).status_code == 401
    assert with_token(keystone_app, keystone.token("admin")).get("/tasks").json == []


def test_a_revoked_token_is_refused(keystone_app: Any, keystone: KeystoneServer) -> None:
    token = keystone.token("reader")
    client = with_token(keystone_app, token)
    assert client.get("/tasks").status_code == 200
    keystone.revoke(token)
    assert client.get("/tasks").status_code == 401


def test_a_cached_token_is_believed_for_as_long_as_configured(make_app: AppFactory, keystone: KeystoneServer) -> None:
    app = make_app({"keystone_authtoken": keystone.middleware_options(), "auth": {"token_cache_seconds": "600"}})
    token = keystone.token("reader")
    client = with_token(app, token)
    assert client.get("/tasks").status_code == 200
    keystone.revoke(token)
    assert client.get("/tasks").status_code == 200


def test_a_bad_service_token_spoils_a_good_one(keystone_app: Any, keystone: KeystoneServer) -> None:
    client = with_token(keystone_app, keystone.token("admin"))
    assert client.get("/tasks", headers={"X-Service-Token": "nonsense"}).status_code == 401


def test_without_keystone_operators_get_503_and_nodes_their_tarballs(
    make_app: AppFactory, keystone: KeystoneServer, seeds: Seeds
) -> None:
    app = make_app({"keystone_authtoken": keystone.middleware_options(), "auth": {"token_cache_seconds": "600"}})
    cached, new = keystone.token("admin"), keystone.token("reader")
    assert with_token(app, cached).get("/health/extended").json["dependencies"][-1]["healthy"]
    node = seeds.booted_node()
    keystone.stop()
    try:
        refused = with_token(app, new).get("/tasks")
        assert (refused.status_code, refused.json["reason"], refused.json["retry"]) == (503, "unavailable", True)
        assert refused.headers["Retry-After"]
        assert refused.json["type"] == "error"
        without = with_token(app, "").get("/tasks")
        assert (without.status_code, "WWW-Authenticate" in without.headers) == (401, True)
        assert with_token(app, cached).get("/tasks").status_code == 200
        ill = with_token(app, cached).get("/health/extended")
        assert ill.status_code == 503
        assert "keystone" in ill.json["message"]
        nobody = Client(app, {})
        assert nobody.get("/health").status_code == 204
        assert nobody.get("/bootdata/n01/files", headers=node.header).status_code == 200
        report = nobody.post(f"/bootaction/{node.actions['greet']}", {"status": "success"}, headers=node.header)
        assert report.status_code == 200
    finally:
        keystone.start()
    assert with_token(app, new).get("/tasks").status_code == 200
