"""Trying again after pauses that grow.

Not by a library: see ``docs/decisions/0018-retries-are-our-own.md``.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between attempts: ``first``, then twice as long each time, up to ``longest``.

    ``spread``: the share, from 0 to 1, by which chance may shorten a pause, so that those that failed together do not
    come back together.
    """

    first: float
    longest: float
    spread: float

    def after(self, attempt: int) -> float:
        """The pause after attempt number ``attempt``, which counts from 1."""
        pause = min(self.longest, self.first * 2.0 ** min(attempt - 1, 64))
        return pause * random.uniform(1 - self.spread, 1)  # noqa: S311 - spread, not secrecy


class Retries:
    """Calls what may fail until it succeeds, a number of attempts is made or a time is up. Safe to share by threads."""

    def __init__(
        self,
        error: type[Exception],
        pauses: Pauses,
        *,
        but: tuple[type[Exception], ...] = (),
        times: float = math.inf,
        seconds: float = math.inf,
        at_first_failure: Callable[[], None] = lambda: None,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``error``: the class of what may pass, ``but``: classes below it that are raised at once.
        ``times``: attempts after the first. ``seconds``: from the beginning;
        no attempt begins later. ``at_first_failure`` is called before the first pause.
        """
        self._error = error
        self._but = but
        self._pauses = pauses
        self._times = times
        self._seconds = seconds
        self._at_first_failure = at_first_failure
        self._wait = wait
        self._clock = clock

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of ``work``, which must be safe to repeat.

        Raises the last error of the class that may pass, and at once whatever else ``work`` raises.
        """
        began = self._clock()
        attempt = 0
        while True:
            try:
                return work(*args, **kwargs)
            except self._but:
                raise
            except self._error:
                attempt += 1
                pause = self._pauses.after(attempt)
                if attempt > self._times or self._clock() + pause > began + self._seconds:
                    raise
                if attempt == 1:
                    self._at_first_failure()
            self._wait(pause)
