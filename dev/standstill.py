"""Whether the machines of a simulated site get on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import requests

FIELDS = "name,power,state,detail,history,fetched,reported"


class Standstill(Exception):
    """Nothing happened to any machine for too long; the message says where they stand."""


class Watch:
    """Looks at the machines each time it is asked, and remembers when they changed last."""

    def __init__(self, simulator_url: str, *, patience: float) -> None:
        """``patience``: seconds without any change that are too many."""
        self._url = simulator_url
        self._patience = patience
        self._seen: Sequence[Mapping[str, Any]] = ()
        self._changed = time.monotonic()

    def check(self) -> None:
        """Raises ``Standstill``. A simulator that does not answer is one that stands still."""
        seen = self._look()
        if seen and seen != self._seen:
            self._seen = seen
            self._changed = time.monotonic()
        if time.monotonic() - self._changed > self._patience:
            raise Standstill(
                f"nothing happened to any machine for {self._patience:g} s, so this gives up;"
                f" the machines: {describe(self._seen)}"
            )

    def _look(self) -> Sequence[Mapping[str, Any]]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy on the way to loopback
                answer = session.get(f"{self._url}/machines?fields={FIELDS}", timeout=5)
                answer.raise_for_status()
                views: list[Mapping[str, Any]] = answer.json()
                return views
        except requests.RequestException:
            return ()


def describe(machines: Sequence[Mapping[str, Any]]) -> str:
    """How many are in which state, and what is said of those that failed."""
    if not machines:
        return "the simulator does not answer"
    states = Counter(machine["state"] for machine in machines)
    text = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    failed = [f"{machine['name']}: {machine['detail']}" for machine in machines if machine["state"] == "failed"]
    return "; ".join([text, *failed[:3]])
