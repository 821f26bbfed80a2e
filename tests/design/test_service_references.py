"""deckhand+http and promenade+http: peers that check the token with a real Keystone, as those services do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dev.keystone import KeystoneServer
from drydock import conf as options
from drydock.auth.service_session import service_session
from drydock.errors import InvalidReference, ReferenceUnavailable
from drydock.references.references import SERVICE_SCHEMES, References
from drydock.references.service_token import ServiceTokens
from tests.http_peer import Answer, Peer, Request, serving
from tests.unit.design.test_references import moved, references


@pytest.fixture
def session(keystone: KeystoneServer, tmp_path: Any) -> Any:
    """As the service makes it, from [keystone_authtoken]."""
    file = tmp_path / "drydock.conf"
    file.write_text(
        "[keystone_authtoken]\n" + "".join(f"{k} = {v}\n" for k, v in keystone.middleware_options().items())
    )
    return service_session(options.load(["--config-file", str(file)], env={}))


@pytest.fixture
def deckhand(keystone: KeystoneServer) -> Iterator[Peer]:
    """Gives its documents to those whom Keystone knows as a service."""

    def answer(request: Request) -> Answer:
        token = request.headers.get("X-Auth-Token", "")
        checked = requests.get(
            f"{keystone.auth_url}/auth/tokens",
            headers={"X-Auth-Token": keystone.token("admin"), "X-Subject-Token": token},
            timeout=10,
        )
        roles = [role["name"] for role in checked.json()["token"]["roles"]] if checked.ok else []
        return Answer(body=f"{request.path} for {roles}".encode()) if checked.ok else Answer(401)

    with serving(answer) as peer:
        yield peer


def of(session: Any, **changes: Any) -> References:
    tokens = ServiceTokens(session, hosts=changes.pop("hosts", ["127.0.0.1"]))
    return references(allowed_schemes=["http", *SERVICE_SCHEMES], tokens=tokens, **changes)


def service(peer: Peer, path: str = "/revisions/1", scheme: str = "deckhand") -> str:
    return f"{scheme}+{peer.url(path)}"


@pytest.mark.parametrize("scheme", ["deckhand", "promenade", "DECKHAND"])
def test_keystone_knows_our_token(session: Any, deckhand: Peer, scheme: str) -> None:
    assert of(session).fetch(service(deckhand, scheme=scheme)) == b"/revisions/1 for ['service']"


def test_plain_http_sends_none(session: Any, deckhand: Peer) -> None:
    with pytest.raises(InvalidReference, match="HTTP status 401"):
        of(session).fetch(deckhand.url("/"))
    assert "X-Auth-Token" not in deckhand.requests[0].headers


def test_a_revoked_token_is_replaced_once(session: Any, deckhand: Peer, keystone: KeystoneServer) -> None:
    first = session.get_token()
    headers = {"X-Auth-Token": first, "X-Subject-Token": first}
    requests.delete(f"{keystone.auth_url}/auth/tokens", headers=headers, timeout=10).raise_for_status()
    assert of(session).fetch(service(deckhand)).startswith(b"/revisions/1")
    assert [request.headers["X-Auth-Token"] == first for request in deckhand.requests] == [True, False]


def test_a_peer_that_never_likes_it(session: Any) -> None:
    with serving(lambda _: Answer(401)) as peer:
        with pytest.raises(InvalidReference, match="the token was refused") as caught:
            of(session).fetch(service(peer))
        assert len(peer.requests) == 2
    assert session.get_token() not in str(caught.value)


def test_the_token_goes_to_listed_hosts_only(session: Any, deckhand: Peer) -> None:
    with pytest.raises(InvalidReference, match="only to hosts in"):
        of(session, hosts=["deckhand.example"]).fetch(service(deckhand))
    assert deckhand.requests == []


def test_the_token_does_not_follow_a_redirect(session: Any) -> None:
    with serving(lambda _: Answer(body=b"x")) as other, serving(lambda _: moved(other.url("/"))) as peer:
        assert of(session).fetch(service(peer)) == b"x"
    assert "X-Auth-Token" in peer.requests[0].headers
    assert "X-Auth-Token" not in other.requests[0].headers


def test_an_outage_of_keystone_may_pass(keystone: KeystoneServer, session: Any, deckhand: Peer) -> None:
    keystone.stop()
    try:
        with pytest.raises(ReferenceUnavailable, match="Keystone gave no token"):
            of(session).fetch(service(deckhand))
    finally:
        keystone.start()
    assert of(session).fetch(service(deckhand)).startswith(b"/revisions/1")


def test_without_credentials_of_our_own() -> None:
    with pytest.raises(InvalidReference, match="has no credentials"):
        references(allowed_schemes=["deckhand+http"]).fetch("deckhand+http://127.0.0.1:1/x")


def test_no_token_in_the_log(session: Any, deckhand: Peer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = service(deckhand).replace("://", "://user:hunter2@")
    of(session).fetch(url)
    assert session.get_token() not in caplog.text
    assert "hunter2" not in caplog.text


def test_no_session_without_credentials(tmp_path: Any) -> None:
    (tmp_path / "empty.conf").write_text("")
    assert service_session(options.load(["--config-file", str(tmp_path / "empty.conf")], env={})) is None
