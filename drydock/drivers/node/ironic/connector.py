"""Requests to Ironic through openstacksdk: authentication, time limits, pages, and errors as ours.

Requests are made with openstacksdk's adapter and not with its resources: those read before they write, and poll.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import openstack
from keystoneauth1 import exceptions as auth_errors
from openstack import exceptions as sdk_errors

from drydock.drivers.http_answers import answer_error
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.http_status import may_pass
from drydock.tls_refusals import is_refusal, reason

MICROVERSION = "1.81"
"""Node inventories; later than node history (1.78), and vendor data and network data of config drives."""
REQUESTS_AT_ONCE = 8
"""More make one conductor slower, not faster."""
PAGE = 1000
ATTEMPTS = 3
LONGEST_MESSAGE = 400
BUSY = frozenset({503})
"""No conductor is free."""
QUIET_LOGGERS = ("keystoneauth", "openstack")

Json = Mapping[str, Any]


class NotThere(DriverRefused):
    """Status 404: no such node, or nothing known of it."""


class BadRequest(DriverRefused):
    """Status 400: what was sent cannot be, or not in the state that the node is in."""


class Conflict(DriverBusy):
    """Status 409: the node is locked or in another state, or what should be made is there already."""


class IronicConnector:
    """Shared by all threads, ``REQUESTS_AT_ONCE`` of which are served at a time."""

    def __init__(self, settings: IronicSettings) -> None:
        # NOTE: keystoneauth logs bodies, with passwords of BMCs and user-data, where DEBUG is on.
        for name in QUIET_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._secrets = settings.secrets
        self._settings = settings
        self._connection = openstack.connect(
            load_yaml_config=False, load_envvars=False, app_name="drydock", **settings.connection()
        )
        self._slots = threading.BoundedSemaphore(REQUESTS_AT_ONCE)

    def get(self, *path: str, **parameters: str) -> Any:
        return self._repeated("GET", path, parameters)

    def members(self, collection: str, **parameters: str) -> Sequence[Json]:
        """Those of one page."""
        return _rows(self.get(collection, **parameters), collection)

    def post(self, path: Sequence[str], document: Any) -> Any:
        return self.request("POST", path, document)

    def put(self, path: Sequence[str], document: Any) -> Any:
        return self.request("PUT", path, document)

    def put_repeatedly(self, path: Sequence[str], document: Any) -> Any:
        """As ``put``, for what comes to the same however often it is sent: at once again where Ironic failed."""
        # NOTE: SQLite, behind a standalone Ironic, refuses writes side by side.
        for _ in range(ATTEMPTS - 1):
            try:
                return self.put(path, document)
            except ServerError:
                continue
        return self.put(path, document)

    def patch(self, path: Sequence[str], document: Any) -> Any:
        return self.request("PATCH", path, document)

    def pages(self, collection: str, fields: Sequence[str]) -> Iterator[Json]:
        """All members of a collection; one request for each ``PAGE`` of them."""
        parameters = {"fields": ",".join(fields), "limit": str(PAGE)}
        while True:
            answer = self.get(collection, **parameters)
            rows = _rows(answer, collection)
            yield from rows
            if not rows or not answer.get("next"):
                return
            parameters["marker"] = rows[-1]["uuid"]

    def images(self) -> Sequence[Json]:
        """Of Glance, the newest first, however few it gives at a time. Raises like ``get``."""
        parameters = {"limit": str(PAGE), "status": "active", "sort": "created_at:desc"}
        found: list[Json] = []
        while True:
            answer = self._ask("image", "GET", ("images",), None, parameters)
            rows = _rows(answer, "images")
            found += rows
            if not rows or not answer.get("next"):
                return found
            parameters["marker"] = rows[-1]["id"]

    def request(
        self, method: str, path: Sequence[str], document: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Any:
        """The answer's JSON, None without. Errors name method and path, never what was sent.

        Raises ``NotThere``, ``Conflict``, ``DriverBusy``, ``DriverUnavailable``, ``DriverRefused``.
        """
        return self._ask("baremetal", method, path, document, parameters)

    def _repeated(self, method: str, path: Sequence[str], parameters: Mapping[str, str]) -> Any:
        # NOTE: a loaded Ironic resets connections.
        for _ in range(ATTEMPTS - 1):
            try:
                return self.request(method, path, None, parameters)
            except ConnectionLost:
                continue
        return self.request(method, path, None, parameters)

    def _ask(
        self, service: str, method: str, path: Sequence[str], document: Any, parameters: Mapping[str, str] | None
    ) -> Any:
        where = "/".join(path)
        with self._slots:
            try:
                # The first use of a service discovers its versions.
                response = getattr(self._connection, service).request(
                    "/" + "/".join(quote(segment, safe="") for segment in path),
                    method,
                    json=document,
                    params=dict(parameters or {}),
                    raise_exc=False,
                    # NOTE: openstacksdk repeats 409 and 503 for 15 s, within which other nodes wait.
                    status_code_retries=0,
                    timeout=self._settings.timeout,
                    **({"microversion": MICROVERSION} if service == "baremetal" else {}),
                )
            except (auth_errors.ClientException, sdk_errors.SDKException, OSError) as exc:
                raise self._client_error(exc, f"ironic: {method} {where}") from None
        return self._understood(response, f"ironic: {method} {where}", document)

    def _understood(self, response: Any, what: str, sent: Any) -> Any:
        try:
            answer = response.json() if response.content else None
        except ValueError:
            answer = None
            if response.status_code < 300:
                raise DriverRefused(f"{what}: this is not Ironic's answer") from None
        if response.status_code >= 300:
            # NOTE: Ironic quotes a patch that it cannot apply.
            # Glance's errors are HTML.
            words = _message(answer) or str(response.reason)
            message = self._masked(words, *_passwords(sent))[:LONGEST_MESSAGE]
            text = f"{what}: status {response.status_code}: {message}"
            raise _status_error(response.status_code, text, response.headers)
        return answer

    def _client_error(self, exc: Exception, what: str) -> DriverError:
        if is_refusal(exc) or isinstance(exc, auth_errors.SSLError):
            return DriverRefused(f"{what}: {reason(exc, 'the server', option='[ironic] cafile')}")
        if isinstance(exc, auth_errors.ConnectTimeout):
            return DriverUnavailable(f"{what}: no answer in {self._settings.timeout:g} s")
        if isinstance(exc, auth_errors.DiscoveryFailure | sdk_errors.ServiceDiscoveryException):
            return DriverUnavailable(f"{what}: it cannot be reached, or is no such service")
        if isinstance(exc, auth_errors.Unauthorized):
            return DriverRefused(f"{what}: Keystone does not accept the account of [ironic]")
        if isinstance(exc, auth_errors.ConnectionError | OSError):
            return ConnectionLost(f"{what}: it cannot be reached, or closed the connection")
        if isinstance(exc, auth_errors.HttpError) and may_pass(exc.http_status or 0):
            headers = {} if exc.response is None else exc.response.headers
            return answer_error(exc.http_status or 0, f"{what}: Keystone answered {exc.http_status}", headers)
        return DriverRefused(f"{what}: {self._masked(str(exc))[:LONGEST_MESSAGE]}")

    def _masked(self, text: str, *more: str) -> str:
        for secret in (*self._secrets, *more):
            text = text.replace(secret, "***")
        return text


class ServerError(DriverUnavailable):
    """Status 5xx, but for 503, and what says when to try again."""


class ConnectionLost(DriverUnavailable):
    """Whether the request arrived is not known."""


def _status_error(status: int, text: str, headers: Mapping[str, str]) -> DriverError:
    if status == 404:
        return NotThere(text)
    if status == 400:
        return BadRequest(text)
    if status == 409:
        return Conflict(text)
    error = answer_error(status, text, headers, busy=BUSY)
    return ServerError(text) if status >= 500 and not isinstance(error, DriverBusy) else error


def _rows(answer: object, collection: str) -> Sequence[Json]:
    rows = answer.get(collection) if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise DriverRefused(f"ironic: GET {collection}: the answer has no {collection}: is it the URL of the service?")
    return rows


def _message(answer: object) -> str:
    """Ironic's words: a fault within JSON, sometimes as JSON in a string."""
    error = answer.get("error_message", answer) if isinstance(answer, dict) else ""
    if isinstance(error, str):
        try:
            error = json.loads(error)
        except ValueError:
            return error
    if isinstance(error, dict):
        error = error.get("faultstring") or error.get("message") or error.get("title") or ""
    # The first line: a database's errors are followed by statements.
    return str(error).partition("\n")[0]


def _passwords(document: object) -> Iterator[str]:
    """Of BMCs, wherever they are in what is sent."""
    if isinstance(document, list | tuple):
        for item in document:
            yield from _passwords(item)
    if isinstance(document, dict):
        for name, value in document.items():
            # Of a patch the path has the name.
            named = f"{name} {document.get('path', '')}" if name == "value" else str(name)
            if isinstance(value, str) and value and "password" in named:
                yield value
            else:
                yield from _passwords(value)
