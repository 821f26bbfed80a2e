"""HTTP to the simulated site: one pool of connections, retries, and errors as ours.

urllib3 and not requests, which stands on it: hundreds of nodes mean thousands of small calls, and cookies, proxies and
redirects, which a site in a box has none of, cost more than the calls do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.util import parse_url
from urllib3.util.retry import Retry

from drydock.drivers.http_answers import answer_error
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable
from drydock.http_status import may_pass

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
        self._base = f"{(parse_url(url).path or '').rstrip('/')}/provisioner/v1"
        # NOTE: not 503. The simulator says so when it means it, and the engine has patience of its own.
        retry = Retry(
            total=RETRIES,
            backoff_factor=0.1,
            allowed_methods=None,
            status_forcelist=(502, 504),
            raise_on_status=False,
            redirect=False,
        )
        self._pool = urllib3.connection_from_url(
            url, maxsize=CONNECTIONS, timeout=urllib3.Timeout(timeout), retries=retry
        )

    def request(self, method: str, path: tuple[str, ...], document: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. ``path``: segments. Errors name the method and the path, never what was sent."""
        where = "/".join(path)
        try:
            response = self._pool.urlopen(
                method,
                "/".join((self._base, *(quote(segment, safe="") for segment in path))),
                body=None if document is None else json.dumps(document),
                headers={} if document is None else {"Content-Type": "application/json"},
                redirect=False,
            )
        except HTTPError as exc:
            raise DriverUnavailable(f"simulated: {method} {where}: {_reason(exc)}") from exc
        if may_pass(response.status):
            text = f"simulated: {method} {where}: status {response.status}"
            raise answer_error(response.status, text, response.headers)
        try:
            answer = json.loads(response.data)
        except ValueError as exc:
            raise DriverRefused(f"simulated: {method} {where}: this is not a simulator's answer") from exc
        if response.status >= 300:
            raise DriverRefused(f"simulated: {method} {where}: status {response.status}: {_message(answer)}")
        return answer


def _reason(exc: HTTPError) -> str:
    cause = exc.reason if isinstance(exc, MaxRetryError) else exc
    # NOTE: a refused connection counts as a timeout in urllib3's family tree.
    if isinstance(cause, Urllib3Timeout) and not isinstance(cause, NewConnectionError):
        return "no answer in time"
    return "the simulator cannot be reached"


def _message(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error.get("message", ""))[:LONGEST_REASON] if isinstance(error, dict) else ""
