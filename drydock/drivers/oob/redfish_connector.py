"""Connections to BMCs: made once, kept with their session, used by one thread at a time."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests
import sushy
from sushy import exceptions as sushy_errors

from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.oob.redfish_errors import driver_error
from drydock.drivers.oob.redfish_http import Allowance, make_connector
from drydock.drivers.oob.redfish_sessions import SessionOrBasic
from drydock.errors import ConfigurationError, DriverBusy, DriverError, DriverRefused
from drydock.model.oob_parameters import KNOWN, MOST_SECONDS, fault, flag, in_url, is_template, seconds

KEPT = 512
"""Connections; the one unused for longest is closed first, with its session. Each is a few tens of KB; a socket is
open during a request only.
"""

SESSION_IS_LOST = (sushy_errors.AccessError, sushy_errors.MissingXAuthToken)
"""After these a connection is of no use. Others leave it as it was: a session that is dropped at each busy answer
would soon have taken all that the BMC has.
"""


@dataclass(frozen=True, slots=True)
class RedfishOptions:
    """``ca_file``: of the authorities that sign BMCs' certificates; empty: those that certifi brings."""

    endpoint: str
    system: str
    verify_tls: bool
    ca_file: str
    timeout: float

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= MOST_SECONDS:
            raise ConfigurationError(f"redfish: the option timeout must be between 0 and {MOST_SECONDS} seconds")
        for name in ("endpoint", "system"):
            if not is_template(getattr(self, name)):
                fields = "the fields {address} and {node}"
                raise ConfigurationError(f"redfish: the option {name} is a template with {fields}")
        if self.ca_file:
            try:
                ssl.create_default_context(cafile=self.ca_file)
            except OSError as exc:
                raise ConfigurationError(
                    "redfish: the option ca_file must name a readable file of PEM certificates"
                ) from exc

    def of(self, bmc: BmcAccess) -> RedfishOptions:
        """With what the design says of this BMC. Raises ``DriverRefused``."""
        given = {key: bmc.parameters[key] for key in KNOWN["redfish"] if key in bmc.parameters}
        if not given:
            return self
        for key, value in given.items():
            wrong = fault(key, value)
            if wrong:
                raise DriverRefused(f"{bmc.node}: the design's oob.{key} {wrong}")
        verify, timeout = flag(given.get("verify_tls", "")), seconds(given.get("timeout", ""))
        return replace(
            self,
            endpoint=given.get("endpoint", self.endpoint),
            system=given.get("system", self.system),
            verify_tls=self.verify_tls if verify is None else verify,
            timeout=self.timeout if timeout is None else timeout,
        )


@dataclass(frozen=True, slots=True)
class Key:
    """An address and an account. Systems behind one address have a connection each: one may hang, the others not."""

    url: str
    system: str
    account: str
    credential: str = field(repr=False)
    verify: bool | str
    timeout: float


@dataclass(slots=True)
class Connection:
    """``root`` is None before the first conversation with the BMC. ``lock`` is held during one."""

    allowance: Allowance
    lock: threading.Lock = field(default_factory=threading.Lock)
    root: Any = field(default=None, repr=False)
    system: str = ""

    def close(self) -> None:
        """Log out; a BMC that does not answer ends the session by itself."""
        root, self.root = self.root, None
        if root is not None:
            self.allowance.begin_logout()
            with contextlib.suppress(sushy_errors.SushyError, requests.RequestException):
                root._auth.close()
            root._auth = None
            root._conn.close()


class RedfishConnector:
    def __init__(self, options: RedfishOptions, *, kept: int = KEPT) -> None:
        self._options, self._kept = options, kept
        self._lock = threading.Lock()
        self._connections: OrderedDict[Key, Connection] = OrderedDict()

    @contextmanager
    def system(self, bmc: BmcAccess, verb: str) -> Iterator[Any]:
        """The node's system as sushy knows it, just read from the BMC. What goes wrong inside becomes an error of ours.

        Raises ``DriverUnavailable``, ``DriverBusy`` or ``DriverRefused``.
        """
        options = self._options.of(bmc)
        if not bmc.address and "{address}" in options.endpoint + options.system:
            raise DriverRefused(f"{bmc.node}: {verb}: the design gives the BMC no address")
        fields = {"address": in_url(bmc.address or ""), "node": bmc.node}
        url, path = options.endpoint.format(**fields), _system_path(options.system.format(**fields))
        verify = (options.ca_file or True) if options.verify_tls else False
        key = Key(url, path, bmc.account, bmc.credential, verify, options.timeout)
        connection = self._connection(key)
        try:
            with _conversation(connection, options.timeout):
                try:
                    yield self._read(connection, key)
                except SESSION_IS_LOST:
                    connection.close()
                    raise
        except (sushy_errors.SushyError, requests.RequestException, DriverError) as exc:
            raise driver_error(exc, bmc, verb) from exc

    def _read(self, connection: Connection, key: Key) -> Any:
        if connection.root is None:
            connection.root = _log_in(key, connection.allowance)
        if not connection.system:
            connection.system = key.system or connection.root.get_system().path
        return connection.root.get_system(connection.system)

    def _connection(self, key: Key) -> Connection:
        with self._lock:
            connection = self._connections.setdefault(key, Connection(Allowance(key.timeout)))
            self._connections.move_to_end(key)
            spare = [] if len(self._connections) <= self._kept else self._unused()
        for each in spare:
            try:
                each.close()
            finally:
                each.lock.release()
        return connection

    def _unused(self) -> list[Connection]:
        """Those beyond ``KEPT``, oldest first, locked; a connection that is in use stays."""
        found = []
        for key, connection in list(self._connections.items())[:-1]:
            if len(self._connections) <= self._kept:
                break
            if connection.lock.acquire(blocking=False):
                del self._connections[key]
                found.append(connection)
        return found


@contextmanager
def _conversation(connection: Connection, seconds: float) -> Iterator[None]:
    if not connection.lock.acquire(timeout=seconds):
        raise DriverBusy("another conversation with the BMC has not ended")
    try:
        connection.allowance.begin_conversation()
        yield
    finally:
        connection.lock.release()


def _log_in(key: Key, allowance: Allowance) -> Any:
    return sushy.Sushy(
        key.url,
        auth=SessionOrBasic(key.account, key.credential),
        connector=make_connector(key.url, verify=key.verify, seconds=key.timeout, allowance=allowance),
    )


def _system_path(system: str) -> str:
    """A bare identity stands for the member of that name."""
    return system if not system or system.startswith("/") else f"/redfish/v1/Systems/{system}"
