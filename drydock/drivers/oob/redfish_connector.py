"""Connections to BMCs: made once, kept for a while, used by one thread at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import sushy
from sushy import exceptions as sushy_errors

from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.oob.redfish_errors import driver_error
from drydock.errors import ConfigurationError, DriverError, DriverRefused
from drydock.model.oob_parameters import KNOWN, MOST_SECONDS, fault, flag, is_template, seconds

KEPT = 512
"""Connections; the one unused for longest goes first. A connection is a few tens of KB, and no open socket."""


@dataclass(frozen=True, slots=True)
class RedfishOptions:
    endpoint: str
    system: str
    verify_tls: bool
    timeout: float

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= MOST_SECONDS:
            raise ConfigurationError(f"redfish: the option timeout must be between 0 and {MOST_SECONDS} seconds")
        for name in ("endpoint", "system"):
            if not is_template(getattr(self, name)):
                fields = "the fields {address} and {node}"
                raise ConfigurationError(f"redfish: the option {name} is a template with {fields}")

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
        return RedfishOptions(
            endpoint=given.get("endpoint", self.endpoint),
            system=given.get("system", self.system),
            verify_tls=self.verify_tls if verify is None else verify,
            timeout=self.timeout if timeout is None else timeout,
        )


@dataclass(frozen=True, slots=True)
class Key:
    """Whom we talk to, and as whom. Systems behind one address have a connection each: one may hang, the others not."""

    url: str
    system: str
    account: str
    credential: str = field(repr=False)
    verify_tls: bool
    timeout: float


@dataclass(slots=True)
class Connection:
    """``root`` is None before the first conversation with the BMC. ``lock`` is held during one."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    root: Any = field(default=None, repr=False)
    system: str = ""


class RedfishConnector:
    def __init__(self, options: RedfishOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._connections: OrderedDict[Key, Connection] = OrderedDict()

    @contextmanager
    def system(self, bmc: BmcAccess, verb: str) -> Iterator[Any]:
        """The node's system as sushy knows it, just read from the BMC. What goes wrong inside becomes an error of ours.

        Raises ``DriverUnavailable`` or ``DriverRefused``. Either drops the connection: the next call starts afresh.
        """
        options = self._options.of(bmc)
        if not bmc.address and "{address}" in options.endpoint + options.system:
            raise DriverRefused(f"{bmc.node}: {verb}: the design gives the BMC no address")
        fields = {"address": _bracketed(bmc.address or ""), "node": bmc.node}
        url, path = options.endpoint.format(**fields), _system_path(options.system.format(**fields))
        key = Key(url, path, bmc.account, bmc.credential, options.verify_tls, options.timeout)
        connection = self._connection(key)
        try:
            with connection.lock:
                yield self._read(connection, key)
        except (sushy_errors.SushyError, requests.RequestException, DriverError) as exc:
            self._drop(key, connection)
            raise driver_error(exc, bmc, verb) from exc

    def _read(self, connection: Connection, key: Key) -> Any:
        if connection.root is None:
            connection.root = self._connect(key)
        if not connection.system:
            connection.system = key.system or connection.root.get_system().path
        return connection.root.get_system(connection.system)

    def _connect(self, key: Key) -> Any:
        """One try for a request that finds no server, one more for a 5xx; sushy's own default is half a minute."""
        return sushy.Sushy(
            key.url,
            username=key.account,
            password=key.credential,
            verify=key.verify_tls,
            server_side_retries=1,
            server_side_retries_delay=0,
            read_timeout=key.timeout,
        )

    def _connection(self, key: Key) -> Connection:
        with self._lock:
            connection = self._connections.setdefault(key, Connection())
            self._connections.move_to_end(key)
            while len(self._connections) > KEPT:
                self._connections.popitem(last=False)
            return connection

    def _drop(self, key: Key, connection: Connection) -> None:
        with self._lock:
            if self._connections.get(key) is connection:
                del self._connections[key]


def _system_path(system: str) -> str:
    """A bare identity stands for the member of that name."""
    return system if not system or system.startswith("/") else f"/redfish/v1/Systems/{system}"


def _bracketed(address: str) -> str:
    """An IPv6 address as it stands in a URL."""
    return f"[{address}]" if ":" in address and not address.startswith("[") and address.count(":") > 1 else address
