"""Deadlines for answers. libpq waits as long as the connection is open, even if the server no longer answers.

At the deadline the connection's socket is shut down, which ends the wait in libpq with an error. This costs
a statement two operations on a dictionary; libpq's asynchronous functions would cost it several system calls.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two checks, which is the precision of a deadline.
LOOK_SECONDS = 0.25
#: Seconds without a deadline after which the thread ends.
IDLE_SECONDS = 30.0


class Watch:
    """One connection's deadline: ``with watch:`` around each call that waits for the server, at most ``seconds``."""

    __slots__ = ("_deadlines", "_descriptor", "seconds")

    def __init__(self, deadlines: Deadlines, descriptor: int, seconds: float) -> None:
        self._deadlines = deadlines
        self._descriptor = descriptor
        self.seconds = seconds

    def __enter__(self) -> None:
        self._deadlines.begin(self, time.monotonic() + self.seconds)

    def __exit__(self, *_: object) -> None:
        self._deadlines.end(self)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Another deadline for the calls in this block."""
        before, self.seconds = self.seconds, seconds
        try:
            yield
        finally:
            self.seconds = before

    def shut(self) -> None:
        borrowed = socket.socket(fileno=self._descriptor)
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The connection was lost in this moment, and the waiting thread has its error.
            return
        finally:
            borrowed.detach()


class Deadlines:
    """The deadlines of one process's connections. Its thread runs while there are any."""

    def __init__(self, expired: Callable[[float], None]) -> None:
        """``expired`` is called at a deadline, with the number of seconds that the server had."""
        self._expired = expired
        self._waiting: dict[Watch, float] = {}
        self._thread: threading.Thread | None = None
        self._shutting = threading.Lock()
        self._closing = threading.Event()

    def watch(self, descriptor: int, seconds: float) -> Watch:
        return Watch(self, descriptor, seconds)

    def begin(self, watch: Watch, deadline: float) -> None:
        self._waiting[watch] = deadline
        # In a forked process the thread does not run.
        if self._thread is None or not self._thread.is_alive():
            try:
                self._start()
            except RuntimeError:
                # There is no call to wait for: its descriptor may be another connection's at the deadline.
                self._waiting.pop(watch, None)
                raise

    def end(self, watch: Watch) -> None:
        if self._waiting.pop(watch, None) is None:
            # It is being shut down. Its descriptor must not be reused before that is done.
            with self._shutting:
                return

    def close(self) -> None:
        """The thread has ended when this returns."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        with self._shutting:
            if self._thread is None or not self._thread.is_alive():
                self._closing.clear()
                self._thread = threading.Thread(target=self._run, name="database deadlines", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        used = time.monotonic()
        while not self._closing.wait(LOOK_SECONDS):
            now = time.monotonic()
            if self._waiting:
                used = now
                self._look(now)
            elif now - used > IDLE_SECONDS:
                # NOTE: first cleared, then checked again: a caller in between starts another thread.
                self._thread = None
                if not self._waiting:
                    return
                self._start()
                return

    def _look(self, now: float) -> None:
        for watch, deadline in self._waiting.copy().items():
            if deadline > now or math.isinf(deadline):
                continue
            with self._shutting:
                if self._waiting.pop(watch, None) is None:
                    continue
                watch.shut()
            self._expired(watch.seconds)
