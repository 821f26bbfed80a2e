"""What goes on during long work, for people: a line for each part.

Only the standard library: it runs before anything is installed.

On a terminal the line of the part at work is renewed each second; elsewhere it is printed again every five.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: Is given what is being done now, in a few words, as often as it changes.
Doing = Callable[[str], None]

TERMINAL_SECONDS = 1.0
LOG_SECONDS = 5.0
WIDTH = 12


def quiet(_text: str) -> None:
    """A ``Doing`` that prints nothing."""


class Part:
    """One part of the work, which has begun; this one prints nothing."""

    def doing(self, text: str) -> None:
        """What is being done now."""

    def ready(self, text: str) -> None:
        """What came of it, such as an address."""


class Progress:
    """This one prints nothing."""

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """For the time of a ``with`` block."""
        yield Part()


class PrintedPart(Part):
    """Its line, and how long it has been at work."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._started = time.monotonic()

    def doing(self, text: str) -> None:
        self._text = text

    def ready(self, text: str) -> None:
        self._text = text

    def line(self) -> str:
        return f"  {self._name:<{WIDTH}} {self._text or '...'} ({time.monotonic() - self._started:.1f} s)"


class PrintedProgress(Progress):
    """Prints each part's line to ``output``, again after ``seconds`` as long as it is at work."""

    def __init__(self, output: TextIO = sys.stdout, *, seconds: float | None = None) -> None:
        self._output = output
        self._terminal = output.isatty()
        self._seconds = seconds or (TERMINAL_SECONDS if self._terminal else LOG_SECONDS)

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        part = PrintedPart(name)
        ended = threading.Event()
        if self._terminal:
            self._print(part, last=False)
        printer = threading.Thread(target=self._print_until, args=(part, ended), name="progress", daemon=True)
        printer.start()
        try:
            yield part
        finally:
            ended.set()
            printer.join()
            self._print(part, last=True)

    def _print_until(self, part: PrintedPart, ended: threading.Event) -> None:
        while not ended.wait(self._seconds):
            self._print(part, last=False)

    def _print(self, part: PrintedPart, *, last: bool) -> None:
        if not self._terminal:
            self._output.write(part.line() + "\n")
        else:
            self._output.write(f"\r\033[K{part.line()}" + ("\n" if last else ""))
        self._output.flush()
