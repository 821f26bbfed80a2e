"""Timed jobs of any number of machines on a few threads, with a heap of due times."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Job = Callable[[], None]


class Scheduler:
    """Runs jobs when they are due. Threads are daemons: a job that hangs in a socket does not keep the process alive.

    One idle thread watches the clock, the others sleep until they are needed.
    """

    def __init__(self, threads: int = 16) -> None:
        self._count = max(1, threads)
        self._due: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        lock = threading.Lock()
        self._needed = threading.Condition(lock)
        self._earlier = threading.Condition(lock)
        self._watched = False
        self._stopped = False
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        for _ in range(self._count):
            self._start_thread()

    def after(self, seconds: float, job: Job) -> None:
        with self._needed:
            if self._stopped:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), job))
            (self._earlier if self._watched else self._needed).notify()

    def stop(self, patience: float = 1.0) -> None:
        """Drop waiting jobs, and give running jobs ``patience`` seconds to end."""
        with self._needed:
            self._stopped = True
            self._due.clear()
            self._needed.notify_all()
            self._earlier.notify_all()
        deadline = time.monotonic() + patience
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="machines", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            done = False
            try:
                job()
                done = True
            finally:
                # A job that raises is a defect of ours: its traceback goes to stderr through threading.excepthook,
                # and another thread replaces this one, so that other machines continue.
                if not done:
                    self._threads.discard(threading.current_thread())
                    self._start_thread()

    def _next(self) -> Job | None:
        with self._needed:
            while not self._stopped:
                if self._watched or not self._due:
                    self._needed.wait()
                    continue
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    self._needed.notify()
                    return heapq.heappop(self._due)[2]
                self._watched = True
                self._earlier.wait(wait)
                self._watched = False
            return None
