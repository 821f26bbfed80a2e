"""One line for each check, with its time; of one that failed, the reason and the tails of the consoles."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence

import requests

from dev.metal.machines import Machine
from dev.peers.packages import Unavailable

TAIL_LINES = 25


class CheckFailed(Exception):
    """The message says what was found."""


class Stopped(Exception):
    """What comes next needs what has failed."""


class Checks:
    def __init__(self, machines: Sequence[Machine]) -> None:
        self._machines = machines
        self._begun = time.monotonic()
        self.failed = 0
        self.passed = 0

    def say(self, text: str) -> None:
        """A line of what goes on."""
        print(f"{self.elapsed():7.0f} s        {text}", flush=True)

    def elapsed(self) -> float:
        return time.monotonic() - self._begun

    def run(self, text: str, check: Callable[[], str | None], *, needed: bool = False) -> bool:
        """``check`` answers with a detail, or raises ``CheckFailed``: then raises ``Stopped`` if it is ``needed``."""
        begun = time.monotonic()
        try:
            detail = check()
        except (CheckFailed, requests.RequestException, subprocess.SubprocessError, Unavailable) as error:
            self.failed += 1
            self._print("FAIL", text, begun, str(error))
            self._print_consoles()
            if needed:
                raise Stopped(text) from None
            return False
        self.passed += 1
        self._print("ok", text, begun, detail)
        return True

    def _print(self, outcome: str, text: str, begun: float, detail: str | None) -> None:
        took = time.monotonic() - begun
        print(
            f"{self.elapsed():7.0f} s  {outcome:<4}  {text}{f': {detail}' if detail else ''} ({took:.0f} s)", flush=True
        )

    def _print_consoles(self) -> None:
        for machine in self._machines:
            lines = [line for line in machine.console_text().splitlines() if line.strip()]
            print(f"--- the end of {machine.console}")
            for line in lines[-TAIL_LINES:]:
                print(f"    {line[:200]}")
        print("---", flush=True)
