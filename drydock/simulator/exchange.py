"""HTTP requests of a machine: one try, no proxy, no redirect, and a record of the answer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

KEY_HEADER = "X-Bootaction-Key"


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` is None without an answer; ``error`` then has the reason. Neither contains the key."""

    url: str
    status: int | None
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: str = ""

    @property
    def passing(self) -> bool:
        """True if the same request may succeed later."""
        return self.status is None or self.status >= 500

    @property
    def outcome(self) -> str:
        return self.error if self.status is None else f"status {self.status}"

    def record(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.body).hexdigest()
        return {"url": self.url, "status": self.status, "bytes": len(self.body), "sha256": digest, "error": self.error}


class NodeHttp:
    """Shared by all machines; a connection pool per thread. ``timeout``: seconds for each wait on the socket."""

    def __init__(self, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._local = threading.local()

    def get(self, url: str, key: str) -> Answer:
        return self._exchange("GET", url, key, None)

    def post(self, url: str, key: str, document: Mapping[str, Any]) -> Answer:
        return self._exchange("POST", url, key, document)

    def _exchange(self, method: str, url: str, key: str, document: Mapping[str, Any] | None) -> Answer:
        try:
            with self._session().request(
                method, url, json=document, headers={KEY_HEADER: key}, timeout=self._timeout, allow_redirects=False,
                stream=True,
            ) as response:  # fmt: skip
                body = response.raw.read(decode_content=False)
                return Answer(url, response.status_code, body, dict(response.headers))
        except (requests.RequestException, OSError) as exc:
            return Answer(url, None, error=_reason(exc))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False  # no proxy and no netrc, as with wget --no-proxy
            session.headers.update({"User-Agent": "drydock-simulator", "Accept-Encoding": "identity"})
            self._local.session = session
        return session


def _reason(exc: Exception) -> str:
    if isinstance(exc, requests.Timeout):
        return "timed out"
    if isinstance(exc, requests.ConnectionError):
        return "connection failed"
    return type(exc).__name__
