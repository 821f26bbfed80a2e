"""Connections to hypervisors: one for each URI and account, shared; one conversation at a time about each domain.

libvirt's calls have no timeout, so each conversation runs in a thread of its own, which is left behind if it hangs.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import libvirt

from drydock.drivers.oob import libvirt_errors
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.oob.libvirt_uris import LibvirtOptions, Machine, machine
from drydock.errors import DriverError, DriverRefused, DriverUnavailable

Answer = TypeVar("Answer")


class Host:
    """One hypervisor, as one account."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection: Any = None

    def domain(self, key: tuple[str, str, str], name: str) -> Any:
        """Connects, and once more if a kept connection turns out to be lost (the daemon was started again)."""
        kept = self.connection
        try:
            return _domain(self._connected(key, None), name)
        except libvirt.libvirtError as exc:
            if kept is None or not libvirt_errors.is_lost(exc):
                raise
            return _domain(self._connected(key, kept), name)

    def _connected(self, key: tuple[str, str, str], lost: Any) -> Any:
        uri, account, credential = key
        with self.lock:
            if self.connection is None or self.connection is lost or not self.connection.isAlive():
                self.connection = libvirt.openAuth(uri, _answers(account, credential), 0)
            return self.connection


class LibvirtConnector:
    def __init__(self, options: LibvirtOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, str, str], Host] = {}
        self._domains: dict[tuple[str, str], threading.Lock] = {}
        # libvirt would write each error to standard error.
        libvirt.registerErrorHandler(_quiet, None)

    def converse(self, bmc: BmcAccess, verb: str, work: Callable[[Any], Answer]) -> Answer:
        """What ``work`` returns of the node's domain. What goes wrong becomes an error of ours."""
        try:
            return self._bounded(bmc, machine(self._options, bmc), work)
        except (DriverError, libvirt.libvirtError) as exc:
            known = exc if isinstance(exc, DriverError) else libvirt_errors.known(exc)
            text = known.message.replace(bmc.credential, "***") if bmc.credential else known.message
            raise known.worded(f"{bmc.node}: {verb}: {text}") from exc

    def _bounded(self, bmc: BmcAccess, found: Machine, work: Callable[[Any], Answer]) -> Answer:
        key = (found.uri, bmc.account, bmc.credential)
        with self._lock:
            host = self._hosts.setdefault(key, Host())
            alone = self._domains.setdefault((found.uri, found.domain), threading.Lock())
        if not alone.acquire(timeout=found.timeout):
            raise DriverUnavailable("the hypervisor did not answer an earlier call yet")
        answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def converse() -> None:
            try:
                answers.put((True, work(host.domain(key, found.domain))))
            except Exception as exc:  # noqa: BLE001 - the waiting thread raises it
                answers.put((False, exc))
            finally:
                alone.release()

        try:
            threading.Thread(target=converse, name=f"libvirt-{bmc.node}", daemon=True).start()
        except RuntimeError as exc:
            alone.release()
            raise DriverUnavailable(f"no thread for the hypervisor's answer: {exc}") from exc
        try:
            done, answer = answers.get(timeout=found.timeout)
        except queue.Empty:
            self._forget(key, host)
            raise DriverUnavailable("the hypervisor did not answer in time") from None
        if not done:
            if isinstance(answer, libvirt.libvirtError) and libvirt_errors.is_lost(answer):
                self._forget(key, host)
            raise answer
        return cast(Answer, answer)

    def _forget(self, key: tuple[str, str, str], host: Host) -> None:
        with self._lock:
            if self._hosts.get(key) is host:
                del self._hosts[key]


def _domain(connection: Any, name: str) -> Any:
    domain = connection.lookupByName(name)
    if not domain.isPersistent():
        raise DriverRefused("the domain is transient: switched off it would be gone; define it")
    return domain


def _answers(account: str, credential: str) -> list[Any]:
    given = {libvirt.VIR_CRED_AUTHNAME: account, libvirt.VIR_CRED_PASSPHRASE: credential}

    def answer(questions: list[list[Any]], data: object) -> int:
        for question in questions:
            question[4] = given.get(question[0], "")
        return 0

    return [list(given), answer, None]


def _quiet(context: object, error: object) -> None:
    """Prints nothing: the exception has the message."""
