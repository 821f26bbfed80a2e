"""Wakes a loop that sleeps in ``select``."""

from __future__ import annotations

import logging
import os

LOG = logging.getLogger(__name__)


class Nudge:
    """A pipe: the loop sleeps on the database's socket and on this. ``file``: the descriptor to wait for."""

    def __init__(self) -> None:
        self.file, self._write = os.pipe()
        os.set_blocking(self.file, False)
        os.set_blocking(self._write, False)

    def send(self) -> None:
        """Safe in a signal handler."""
        try:
            os.write(self._write, b".")
        except BlockingIOError:
            LOG.debug("the loop has not read its last nudges yet")

    def drain(self) -> None:
        try:
            os.read(self.file, 4096)
        except BlockingIOError:
            LOG.debug("nothing to drain: the database woke us")
