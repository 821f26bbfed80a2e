"""A server that gives Drydock a token as a Keystone does, and answers about others' tokens as a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.http_peer import Answer, Request, serving

LATER = "2999-01-01T00:00:00.000000Z"


class OddKeystone:
    """``answer``: status, media type and body of the validation of a token; ``hangs``: nothing is answered."""

    def __init__(self) -> None:
        self.auth_url = ""
        self.answer: tuple[int, str, bytes] = (200, "application/json", b"{}")
        self.hangs = False
        self.asked = 0

    def answer_reader(self) -> None:
        """Take each token for a reader's."""
        project = {"id": "p", "name": "project", "domain": {"id": "default", "name": "Default"}}
        token = self.token(roles=[{"id": "r", "name": "reader"}], project=project)
        self.answer = (200, "application/json", json.dumps(token).encode())

    def token(self, **more: Any) -> dict[str, Any]:
        endpoint = {"interface": "internal", "url": self.auth_url, "region_id": "R", "region": "R", "id": "e"}
        return {
            "token": {
                "methods": ["password"],
                "expires_at": LATER,
                "issued_at": LATER.replace("2999", "2020"),
                "user": {"id": "u", "name": "drydock", "domain": {"id": "default", "name": "Default"}},
                "catalog": [{"type": "identity", "name": "keystone", "id": "s", "endpoints": [endpoint]}],
                **more,
            }
        }

    def reply(self, request: Request) -> Answer | None:
        if self.hangs:
            return None
        if request.method == "POST":
            return _answer(201, "application/json", json.dumps(self.token()).encode())
        if request.path.partition("?")[0].endswith("/auth/tokens"):
            self.asked += 1
            return _answer(*self.answer)
        links = [{"rel": "self", "href": self.auth_url + "/"}]
        version = {"id": "v3.14", "status": "stable", "links": links}
        return _answer(200, "application/json", json.dumps({"version": version}).encode())


def _answer(status: int, media_type: str, body: bytes) -> Answer:
    return Answer(status, body, {"Content-Type": media_type, "X-Subject-Token": "service-token"})


@contextmanager
def odd_keystone() -> Iterator[OddKeystone]:
    keystone = OddKeystone()
    with serving(keystone.reply) as peer:
        keystone.auth_url = peer.url("/v3")
        yield keystone
