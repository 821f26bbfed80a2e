"""``Probe``: asks something that may hang, beside the request, and at most once at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Probe(Generic[Answer]):
    """However often it is asked: what still has no answer is waited for, not asked again."""

    def __init__(self, name: str, ask: Callable[[], Answer]) -> None:
        self._name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: Future[Answer] | None = None

    def start(self) -> Future[Answer]:
        """The answer to come, or the error."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # A daemon's thread: one that hangs does not hold the process at its end.
                threading.Thread(target=self._run, args=(self._asked,), name=f"probe {self._name}", daemon=True).start()
            return self._asked

    def _run(self, asked: Future[Answer]) -> None:
        try:
            answer = self._ask()
        except Exception as exc:  # noqa: BLE001 - whoever waits gets it raised
            asked.set_exception(exc)
        else:
            asked.set_result(answer)
