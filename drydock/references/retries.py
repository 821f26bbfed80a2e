"""Asking again after a while what may only be busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from drydock.errors import ReferenceUnavailable

_Answer = TypeVar("_Answer")


class Retries:
    def __init__(self, *, times: int, pause: float, wait: Callable[[float], None] = time.sleep) -> None:
        """Up to ``times`` more attempts, ``pause`` seconds before the first and twice as long before each next."""
        self._times = times
        self._pause = pause
        self._wait = wait

    def run(self, ask: Callable[[], _Answer]) -> _Answer:
        """The first answer. Raises the last ``ReferenceUnavailable``, and at once whatever else ``ask`` raises."""
        for attempt in range(self._times):
            try:
                return ask()
            except ReferenceUnavailable:
                self._wait(self._pause * 2**attempt)
        return ask()
