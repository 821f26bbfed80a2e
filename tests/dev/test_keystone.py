from __future__ import annotations

import pytest
import requests

from dev.keystone import KeystoneServer


@pytest.mark.parametrize(
    ("user", "roles"),
    [("admin", {"admin", "manager", "member", "reader"}), ("member", {"member", "reader"}), ("reader", {"reader"})],
)
def test_each_user_has_its_roles_in_the_project(keystone: KeystoneServer, user: str, roles: set[str]) -> None:
    token = keystone.token(user)
    asked = requests.get(
        f"{keystone.auth_url}/auth/tokens", headers={"X-Auth-Token": token, "X-Subject-Token": token}, timeout=10
    )
    described = asked.json()["token"]
    assert {role["name"] for role in described["roles"]} == roles
    assert described["project"]["name"] == "drydock"


def test_revoked_and_expired_tokens_are_refused(keystone: KeystoneServer) -> None:
    revoked = keystone.token("member")
    assert keystone.accepts(revoked)
    keystone.revoke(revoked)
    assert not keystone.accepts(revoked)
    assert not keystone.accepts(keystone.expired_token("reader"))


def test_it_comes_back_at_the_same_address(keystone: KeystoneServer) -> None:
    before = keystone.token("reader")
    keystone.stop()
    try:
        with pytest.raises(requests.ConnectionError):
            requests.get(keystone.auth_url, timeout=10)
    finally:
        keystone.start()
    assert keystone.accepts(before)


def test_passwords_are_not_shown(keystone: KeystoneServer) -> None:
    user = keystone.users["admin"]
    assert user.password
    assert user.password not in repr(user)
