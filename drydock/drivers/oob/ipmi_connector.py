"""Sessions with BMCs: one for each verb, ended with it, and one at a time with each BMC."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pyghmi import exceptions as pyghmi_errors
from pyghmi.ipmi import fru

from drydock.drivers.oob import ipmi_mapping as mapping
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.oob.ipmi_session import BoundedSession, NoAnswer, NotUnderstood
from drydock.errors import ConfigurationError, DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.model.oob_parameters import KNOWN, MOST_SECONDS, fault, port, seconds


@dataclass(frozen=True, slots=True)
class IpmiOptions:
    port: int
    timeout: float

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= MOST_SECONDS:
            raise ConfigurationError(f"ipmi: the option timeout must be between 0 and {MOST_SECONDS} seconds")
        if not 0 < self.port < 65536:
            raise ConfigurationError("ipmi: the option port must be a UDP port")

    def of(self, bmc: BmcAccess) -> IpmiOptions:
        """With what the design says of this BMC. Raises ``DriverRefused``."""
        given = {key: bmc.parameters[key] for key in KNOWN["ipmi"] if key in bmc.parameters}
        for key, value in given.items():
            wrong = fault(key, value)
            if wrong:
                raise DriverRefused(f"the design's oob.{key} {wrong}")
        own, patience = port(given.get("port", "")), seconds(given.get("timeout", ""))
        return replace(
            self,
            port=self.port if own is None else own,
            timeout=self.timeout if patience is None else patience,
        )


class Conversation:
    """With one BMC, logged in."""

    def __init__(self, session: BoundedSession) -> None:
        self._session = session

    def ask(self, network_function: int, command: int, *data: int) -> list[int]:
        """The answer's data. Raises ``DriverError`` for another completion code than 0."""
        answer = self._session.request(network_function, command, data)
        if answer.get("code"):
            raise mapping.refusal(answer["code"], str(answer.get("error", "")))
        return list(answer["data"])

    def inventory(self) -> Mapping[str, Any]:
        """Of the FRU of the BMC; empty if it has none that can be read."""
        try:
            found = fru.FRU(ipmicmd=self).info
        except (pyghmi_errors.PyghmiException, LookupError, ValueError, TypeError, struct.error):
            return {}
        return found or {}

    def raw_command(self, netfn: int, command: int, data: tuple[int, ...] = ()) -> dict[str, Any]:
        """As pyghmi's FRU calls it."""
        return self._session.request(netfn, command, data)


class IpmiConnector:
    def __init__(self, options: IpmiOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._busy: dict[tuple[str, int], threading.Lock] = {}

    @contextmanager
    def conversation(self, bmc: BmcAccess, verb: str) -> Iterator[Conversation]:
        """What goes wrong inside becomes an error of ours: ``DriverUnavailable``, ``DriverBusy``, ``DriverRefused``."""
        try:
            options = self._options.of(bmc)
            host = _checked(bmc)
            deadline = time.monotonic() + options.timeout
            with self._alone(host, options), _logged_in(bmc, host, options.port, deadline) as session:
                yield Conversation(session)
        # IndexError: the answer is shorter than IPMI has it.
        except (DriverError, NoAnswer, NotUnderstood, pyghmi_errors.PyghmiException, OSError, IndexError) as exc:
            known = _known(exc)
            raise known.worded(f"{bmc.node}: {verb}: {_without(bmc.credential, known.message)}") from exc

    @contextmanager
    def _alone(self, host: str, options: IpmiOptions) -> Iterator[None]:
        with self._lock:
            lock = self._busy.setdefault((host, options.port), threading.Lock())
        if not lock.acquire(timeout=options.timeout):
            raise DriverBusy("another conversation with the BMC has not ended")
        try:
            yield
        finally:
            lock.release()


def _checked(bmc: BmcAccess) -> str:
    if not bmc.address:
        raise DriverRefused("the design gives the BMC no address")
    if len(bmc.account.encode()) > mapping.LONGEST_ACCOUNT:
        raise DriverRefused(f"IPMI has accounts of up to {mapping.LONGEST_ACCOUNT} bytes; the design's is longer")
    if len(bmc.credential.encode()) > mapping.LONGEST_CREDENTIAL:
        raise DriverRefused(f"IPMI has passwords of up to {mapping.LONGEST_CREDENTIAL} bytes; the design's is longer")
    return bmc.address


@contextmanager
def _logged_in(bmc: BmcAccess, host: str, port: int, deadline: float) -> Iterator[BoundedSession]:
    session = BoundedSession(host, bmc.account, bmc.credential, port=port, deadline=deadline)
    try:
        yield session
    except (DriverError, IndexError):
        with contextlib.suppress(OSError, pyghmi_errors.PyghmiException, NoAnswer):
            session.close()
        raise
    except BaseException:
        session.drop()
        raise
    with contextlib.suppress(OSError, pyghmi_errors.PyghmiException, NoAnswer):
        session.close()


def _known(exc: Exception) -> DriverError:
    if isinstance(exc, DriverError):
        return exc
    if isinstance(exc, NoAnswer):
        return DriverUnavailable("the BMC did not answer in time")
    if isinstance(exc, NotUnderstood | IndexError):
        return DriverUnavailable("the BMC's answer is not understood")
    if isinstance(exc, pyghmi_errors.PyghmiException):
        return mapping.login_error(str(exc))
    return DriverUnavailable("the BMC cannot be reached")


def _without(credential: str, text: str) -> str:
    return text.replace(credential, "***") if credential else text
