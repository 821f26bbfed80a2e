"""A session of IPMI over LAN by pyghmi, on a socket of its own, that ends by a deadline."""

from __future__ import annotations

import select
import struct
import time
from typing import Any, cast

from pyghmi.ipmi.private import simplesession

#: Between two copies of a request that got no answer: UDP loses some, and a BMC at work answers after seconds.
REPEAT_SECONDS = 1.5


class NoAnswer(Exception):
    """Until the deadline."""


class NotUnderstood(Exception):
    """What came is not IPMI."""


class BoundedSession(simplesession.Session):  # type: ignore[misc]
    """NOTE: pyghmi's usual session shares sockets and one thread with all others of the process, and lets each caller
    handle everybody's packets; its simple session, for one BMC and one thread, waits without an end for a BMC that is
    silent, and repeats nothing. Both are undocumented: the version is pinned, and the contract suite is run with it.
    """

    def __init__(self, host: str, account: str, credential: str, *, port: int, deadline: float) -> None:
        """``deadline``: of ``time.monotonic``. Raises ``NoAnswer``, and ``IpmiException`` for a refusal."""
        self._deadline = deadline
        self.timeout = REPEAT_SECONDS
        self.socket: Any = None
        try:
            super().__init__(host, account, credential, port=port)
        except BaseException:
            self.drop()
            raise

    def wait_for_rsp(self, timeout: float | None = None, callout: bool = True) -> None:  # noqa: FBT001, FBT002
        self._take_turn()

    def awaitresponse(self, retry: bool) -> None:  # noqa: FBT001
        while retry and self.lastresponse is None and self.logged:
            self._take_turn()

    def _take_turn(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer
        if not select.select([self.socket], [], [], min(self.timeout, left))[0]:
            self.timeout = min(self.timeout, REPEAT_SECONDS)
            self._timedout()
            return
        try:
            self.process_pktqueue()
        except (IndexError, struct.error) as exc:
            raise NotUnderstood from exc

    def request(self, network_function: int, command: int, data: tuple[int, ...] = ()) -> dict[str, Any]:
        """The answer: ``code``, ``data``, and ``error`` in words if the code is not 0."""
        return cast(dict[str, Any], self.raw_command(netfn=network_function, command=command, data=data))

    def close(self) -> None:
        """Log out, without waiting for an answer."""
        self.incommand = False
        self.logout()
        self.drop()

    def drop(self) -> None:
        """Forget it; the BMC ends it in time."""
        simplesession.Session.keepalive_sessions.pop(self, None)
        if self.socket is not None:
            self.socket.close()
