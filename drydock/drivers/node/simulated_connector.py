"""HTTP to the simulated site: one session, retries, and errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable

CONNECTIONS = 32
RETRIES = 2
LONGEST_REASON = 300


class SimulatedConnector:
    """Shared by all threads. Every request may be repeated, so every request is retried."""

    def __init__(self, url: str, timeout: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError("simulated: the option url must be the http(s) address of the simulator")
        if not 0 < timeout <= 600:
            raise ConfigurationError("simulated: the option timeout must be between 0 and 600 seconds")
        self._base = f"{url.rstrip('/')}/provisioner/v1"
        self._timeout = timeout
        # NOTE: not 503. The simulator says so when it means it, and the engine has patience of its own.
        retry = Retry(total=RETRIES, backoff_factor=0.1, allowed_methods=None, status_forcelist=(502, 504))
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=retry)
        self._session = requests.Session()
        self._session.trust_env = False  # a site in a box stands beside us, not behind a proxy
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def request(self, method: str, path: tuple[str, ...], document: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. ``path``: segments. Errors name the method and the path, never what was sent."""
        where = "/".join(path)
        try:
            response = self._session.request(
                method,
                "/".join((self._base, *(quote(segment, safe="") for segment in path))),
                json=document,
                timeout=self._timeout,
            )
        except requests.RequestException as exc:
            raise DriverUnavailable(f"simulated: {method} {where}: {_reason(exc)}") from exc
        if response.status_code >= 500 or response.status_code == 429:
            raise DriverUnavailable(f"simulated: {method} {where}: status {response.status_code}")
        try:
            answer = response.json()
        except requests.JSONDecodeError as exc:
            raise DriverRefused(f"simulated: {method} {where}: this is not a simulator's answer") from exc
        if response.status_code >= 300:
            raise DriverRefused(f"simulated: {method} {where}: status {response.status_code}: {_message(answer)}")
        return answer


def _reason(exc: requests.RequestException) -> str:
    if isinstance(exc, requests.Timeout):
        return "no answer in time"
    return "the simulator cannot be reached"


def _message(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error.get("message", ""))[:LONGEST_REASON] if isinstance(error, dict) else ""
