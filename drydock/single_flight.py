"""``SingleFlight``: of several threads that want the same at the same time, one works and all get its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class NoThreadError(RuntimeError):
    """No thread can be started."""


class SingleFlight(Generic[Key, Value]):
    """Safe to share between threads. Keeps nothing: a call that comes after the result works anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Key, Future[Value]] = {}

    def run(self, key: Key, work: Callable[[], Value]) -> Value:
        """The result of ``work``, in this thread, or of the thread that works on ``key`` already; or what it raises.

        ``CancelledError`` where that thread ended by something that is no ``Exception``.
        """
        future, new = self._join(key)
        if new:
            self._settle(key, future, work)
        return future.result()

    def start(self, key: Key, work: Callable[[], Value]) -> Future[Value]:
        """The result to come of ``work``, in a thread of its own, or of the one that works on ``key`` already.

        The process does not wait for that thread at its end: ``work`` may hang. ``NoThreadError`` is the result if
        none can be started.
        """
        future, new = self._join(key)
        if new:
            thread = threading.Thread(target=self._settle, args=(key, future, work), name=f"flight {key}", daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:
                self._forget(key)
                future.set_exception(NoThreadError(str(exc)))
        return future

    def _join(self, key: Key) -> tuple[Future[Value], bool]:
        with self._lock:
            running = self._running.get(key)
            if running is not None:
                return running, False
            return self._running.setdefault(key, Future()), True

    def _settle(self, key: Key, future: Future[Value], work: Callable[[], Value]) -> None:
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001 - raised again in each thread that waits
            self._forget(key)
            future.set_exception(exc)
        else:
            self._forget(key)
            future.set_result(result)
        finally:
            if not future.done():
                self._forget(key)
                future.cancel()

    def _forget(self, key: Key) -> None:
        """Before the result is there: a thread that has it and asks again must not get it twice."""
        with self._lock:
            self._running.pop(key, None)
