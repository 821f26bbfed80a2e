"""Deadlines of answers, without a server."""

from __future__ import annotations

import socket
import threading

import pytest

from drydock.db.deadlines import Deadlines
from tests.no_threads import no_more_threads


def test_what_could_not_begin_shuts_no_connection_later() -> None:
    """The descriptor may be another connection's by then."""
    expired, passed = [], threading.Event()

    def note(seconds: float) -> None:
        expired.append(seconds)
        if seconds == 0.5:
            passed.set()

    deadlines = Deadlines(note)
    first, second = socket.socketpair()
    with first, second:
        with no_more_threads(), pytest.raises(RuntimeError, match="thread"), deadlines.watch(first.fileno(), 0.1):
            pytest.fail("there is no one who ends the wait")
        with deadlines.watch(second.fileno(), 0.5):
            assert passed.wait(30)
    deadlines.close()
    assert expired == [0.5]
