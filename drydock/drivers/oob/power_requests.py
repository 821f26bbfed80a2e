"""Which change of power was asked for, by node, until it is seen: a request without an effect is repeated rarely."""

from __future__ import annotations

import threading
import time

from drydock.drivers.oob.base import PowerState
from drydock.drivers.progress import Progress, pending

#: BMCs take seconds to change power; asking more often only loads them.
POLL_SECONDS = 2.0
#: A request that the BMC accepted is sent again after this time without an effect.
RESEND_SECONDS = 30.0


class PowerRequests:
    """Of one process. Another one sends the request once more, which changes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[str, tuple[PowerState, float]] = {}

    def is_due(self, node: str, wanted: PowerState) -> bool:
        with self._lock:
            state, at = self._sent.get(node, (None, 0.0))
        return state is not wanted or time.monotonic() - at >= RESEND_SECONDS

    def was_sent(self, node: str, wanted: PowerState) -> None:
        with self._lock:
            self._sent[node] = (wanted, time.monotonic())

    def was_seen(self, node: str) -> None:
        with self._lock:
            self._sent.pop(node, None)


def waits(wanted: PowerState) -> Progress:
    return pending(f"waiting for the BMC to switch the power {wanted}", look_in=POLL_SECONDS)
