"""Labels at Promenade: a real HTTP server that asks for a token, and a session that brings one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session

from dev.peers.certificates import Authority
from drydock.drivers.labels.promenade import PromenadeLabels
from drydock.errors import DriverBusy, DriverRefused, DriverUnavailable
from tests.http_peer import Answer, Request, serving


@dataclass
class Promenade:
    """What it was asked, and what it answers: ``status`` to those with a token it likes."""

    url: str = ""
    status: int = 200
    good_token: str = "token-1"
    body: bytes = b'{"message": "no such node"}'
    after: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        known = request.headers.get("X-Auth-Token") == self.good_token
        if known:
            self.asked.append((request.path, request.json))
        moved = {"Location": "http://127.0.0.1:9/elsewhere"} if self.status == 302 else {}
        later = {"Retry-After": self.after} if self.after else {}
        return Answer(self.status if known else 401, self.body, {**moved, **later})


@pytest.fixture
def promenade() -> Iterator[Promenade]:
    made = Promenade()
    with serving(made.answer) as peer:
        made.url = peer.url()
        yield made


class Tokens(BaseAuthPlugin):
    """Keystone's part: a new token whenever the old one was refused."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 1

    def get_token(self, session: Session, **more: Any) -> str:
        return f"token-{self.number}"

    def invalidate(self) -> bool:
        self.number += 1
        return True


@pytest.fixture
def labels(promenade: Promenade) -> Iterator[PromenadeLabels]:
    session = Session(auth=Tokens())
    yield PromenadeLabels(session, url=f"{promenade.url}/", timeout=10)
    session.session.close()


def test_labels_are_put_with_our_token_under_the_nodes_name(labels: PromenadeLabels, promenade: Promenade) -> None:
    wanted = {"openstack-control-plane": "enabled", "example.org/zone": "a b"}
    labels.put("n 1/2", wanted)
    labels.put("n1", {})
    assert promenade.asked == [
        ("/api/v1.0/node-labels/n%201%2F2", wanted),
        ("/api/v1.0/node-labels/n1", {}),
    ]


def test_a_token_that_is_refused_is_renewed(labels: PromenadeLabels, promenade: Promenade) -> None:
    promenade.good_token = "token-2"
    labels.put("n1", {"a": "b"})
    assert promenade.asked == [("/api/v1.0/node-labels/n1", {"a": "b"})]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_to_be_tried_again(labels: PromenadeLabels, promenade: Promenade, status: int) -> None:
    promenade.status = status
    with pytest.raises(DriverUnavailable, match=f"labels of n1: status {status}"):
        labels.put("n1", {})


@pytest.mark.parametrize(("status", "after", "seconds"), [(429, "", None), (429, "40", 40.0), (503, "7", 7.0)])
def test_not_yet_is_no_failure(
    labels: PromenadeLabels, promenade: Promenade, status: int, after: str, seconds: float | None
) -> None:
    promenade.status, promenade.after = status, after
    with pytest.raises(DriverBusy) as raised:
        labels.put("n1", {})
    assert raised.value.look_in == seconds


@pytest.mark.parametrize("keystone", [False, True])
def test_a_certificate_that_is_not_accepted_is_final(tmp_path: Path, keystone: bool) -> None:
    """Of Promenade, and of Keystone, where keystoneauth shows a failed discovery."""
    certificate = Authority(tmp_path).issue("promenade")
    with serving(lambda request: Answer(), certificate=certificate) as peer:
        auth = Password(peer.url("/v3"), "u", "p", user_domain_id="d") if keystone else Tokens()
        session = Session(auth=auth)
        labels = PromenadeLabels(session, url=peer.url(), timeout=5)
        with pytest.raises(DriverRefused, match=r"authority that is not known here: .*\[keystone_authtoken\] cafile"):
            labels.put("n1", {})
        session.session.close()


@pytest.mark.parametrize("status", [302, 400, 404])
def test_a_no_is_final_and_says_why(labels: PromenadeLabels, promenade: Promenade, status: int) -> None:
    promenade.status = status
    with pytest.raises(DriverRefused, match=f"status {status}: .*no such node"):
        labels.put("n1", {})


def test_a_token_that_is_quoted_is_in_no_message(labels: PromenadeLabels, promenade: Promenade) -> None:
    promenade.status, promenade.body = 400, b"bad request: X-Auth-Token: gAAAAABnotasecretnotasecret"
    with pytest.raises(DriverRefused, match=r"status 400: bad request: X-Auth-Token: gAAAAA…$"):
        labels.put("n1", {})


def test_a_token_that_stays_refused_is_final(labels: PromenadeLabels, promenade: Promenade) -> None:
    promenade.good_token = "never"
    with pytest.raises(DriverRefused, match="status 401"):
        labels.put("n1", {})


def test_nobody_listening_is_to_be_tried_again(free_port: int) -> None:
    session = Session(auth=Tokens())
    labels = PromenadeLabels(session, url=f"http://127.0.0.1:{free_port}", timeout=5)
    with pytest.raises(DriverUnavailable, match="no answer about n1"):
        labels.put("n1", {})
    session.session.close()
