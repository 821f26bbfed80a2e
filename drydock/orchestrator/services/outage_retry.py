"""OutageRetry: a machine that asks while the database is being restarted is kept waiting instead of failing.

An installer does not ask twice, so a refusal is a machine that is not installed. Operators' clients do ask again, and
are told at once; only the nodes' services use this.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from drydock.errors import DatabaseUnavailable

LOG = logging.getLogger(__name__)

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class OutageRetry:
    """Tries again for ``seconds``, with pauses that grow and differ, so that those who waited do not come at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def until_answered(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of ``work``, which must be safe to repeat. Raises ``DatabaseUnavailable`` when time is up."""
        give_up = time.monotonic() + self._seconds
        pause = _FIRST_PAUSE
        while True:
            try:
                return work(*args, **kwargs)
            except DatabaseUnavailable:
                if time.monotonic() + pause > give_up:
                    raise
                if pause == _FIRST_PAUSE:
                    LOG.warning("the database is away; a machine is kept waiting")
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spread, not secrecy
            pause = min(pause * 2, _LONGEST_PAUSE)
