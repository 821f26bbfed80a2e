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


def test_services_of_others_are_left_alone(keystone: KeystoneServer) -> None:
    """Without a name, without an endpoint, of our types: all that a Keystone may hold besides."""
    headers = {"X-Auth-Token": keystone.token("admin")}

    def made(kind: str, body: dict[str, object]) -> dict[str, str]:
        reply = requests.post(f"{keystone.auth_url}/{kind}s", json={kind: body}, headers=headers, timeout=10)
        assert reply.status_code == 201, reply.text
        return reply.json()[kind]  # type: ignore[no-any-return]

    services = [
        made("service", {"type": "object-store"}),
        made("service", {"type": "compute", "name": "nova", "enabled": False}),
        made("service", {"type": "physicalprovisioner", "name": "another"}),
        made("service", {"type": "identity"}),
    ]
    url = "http://192.0.2.1/v1"
    theirs = [
        made("endpoint", {"service_id": each["id"], "interface": "public", "url": url, "region_id": "RegionOne"})
        for each in services[1:]
    ]
    theirs.append(made("endpoint", {"service_id": services[1]["id"], "interface": "internal", "url": url}))
    keystone.publish("http://127.0.0.1:9999")
    listed = requests.get(f"{keystone.auth_url}/endpoints", headers=headers, timeout=10).json()["endpoints"]
    urls = {each["id"]: each["url"] for each in listed}
    assert {urls.pop(each["id"]) for each in theirs} == {url}
    assert set(urls.values()) == {keystone.auth_url, "http://127.0.0.1:9999/api/v1.0"}


def test_passwords_are_not_shown(keystone: KeystoneServer) -> None:
    user = keystone.users["admin"]
    assert user.password
    assert user.password not in repr(user)
