"""The API as clients with patience see it: every try and its answer go into their log."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.chaos.client_log import ClientLog

TRY_SECONDS = 4.0
PAUSE_SECONDS = 0.25


class GaveUp(Exception):
    """The service did not come back in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` is None when nobody answered, which says nothing about what was done."""

    status: int | None
    body: Any = None


class Api:
    """Of one thread. ``give_up``: set when the round has lasted too long."""

    def __init__(self, url: str, log: ClientLog, give_up: threading.Event) -> None:
        self._base = f"{url}/api/v1.0"
        self._log = log
        self._give_up = give_up

    def once(self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str]) -> Answer:
        # A session each: a connection kept by a server that was killed would fail the next request for no reason.
        try:
            with requests.Session() as session:
                session.trust_env = False
                url = path if path.startswith("http") else self._base + path
                response = session.request(method, url, json=json, headers=dict(headers), timeout=TRY_SECONDS)
                try:
                    body = response.json()
                except requests.JSONDecodeError:
                    body = response.text
                return Answer(response.status_code, body)
        except requests.RequestException:
            return Answer(None)

    def persistent(self, event: str, method: str, path: str, *, json: Any = None, key: str = "", **fields: Any) -> Any:
        """Ask until it is answered with other than trouble. Raises ``GaveUp``."""
        headers = {"X-Auth-Token": "admin", **({"Idempotency-Key": key} if key else {})}
        while True:
            answer = self.once(method, path, json=json, headers=headers)
            body = answer.body if isinstance(answer.body, dict) else {}
            told, reason = body.get("task_id"), body.get("reason") if answer.status not in (200, 201) else None
            self._log.write(event, status=answer.status, key=key, task_id=told, reason=reason, **fields)
            if answer.status is not None and answer.status < 500:
                return answer.body
            self._pause()

    def look(self, path: str) -> Any:
        """Read, as often as it takes. Only answers that are no trouble count; a 500 is logged."""
        while True:
            answer = self.once("GET", path, headers={"X-Auth-Token": "reader"})
            if answer.status == 200:
                return answer.body
            if answer.status not in (None, 503):
                self._log.write("look", status=answer.status, path=path, body=str(answer.body)[:500])
            self._pause()

    def _pause(self) -> None:
        if self._give_up.is_set():
            raise GaveUp
        time.sleep(PAUSE_SECONDS)
