"""Child processes that are waited for until ready, stopped in order, and never left behind.

Each child leads a session of its own, so that Ctrl-C reaches us alone and we choose the order. When we are
killed with -9 the kernel signals every child (``launch.py``).
NOTE: the kernel means the *thread* that started the child: start children from a thread that stays.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_SECONDS = 0.02
Ready = Callable[[], bool]


def neutral_environment() -> dict[str, str]:
    """Ours, without what would change the options of a program or who its user is, and with no proxy in between."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DRYDOCK_"))}
    return {**kept, "NO_PROXY": "*", "no_proxy": "*"}


class StartFailed(Exception):
    """A process ended, or did not become ready in time; the message ends with the tail of its log."""


class Child:
    """One running program; ``log`` receives everything that it prints."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], stop_signal: signal.Signals, log: Path, log_start: int
    ) -> None:
        self.name = name
        self.pid = process.pid
        self.log = log
        self._log_start = log_start
        self._process = process
        self._stop_signal = stop_signal

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it.

        An ended child is not reaped before ``kill``: until then its process id, by which ``kill`` signals the group,
        cannot become another process's.
        """
        if self._process.returncode is None:
            with contextlib.suppress(ChildProcessError):
                ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is None:
                    return None
                return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        return self._process.poll()

    def wait_ready(self, ready: Ready, *, seconds: float = 30) -> None:
        """Return when ``ready()`` is true; raises ``StartFailed`` when the child ends or takes longer."""
        give_up = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None:
                raise StartFailed(f"{self.name} ended with {self.exit_code}:\n{self.log_tail()}")
            if time.monotonic() > give_up:
                raise StartFailed(f"{self.name} was not ready after {seconds:g} s:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def log_tail(self, lines: int = 20) -> str:
        """The last ``lines`` that this child printed; the log may hold those of others before it."""
        printed = self.log.read_bytes()[self._log_start :]
        return "\n".join(printed.decode(errors="replace").splitlines()[-lines:])

    def stop(self, *, seconds: float = 10) -> int:
        """End it politely, then by force, with whatever it started itself; answers its exit code."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self._stop_signal)
            self._wait_end(seconds)
        return self.kill()

    def _wait_end(self, seconds: float) -> None:
        give_up = time.monotonic() + seconds
        while self.exit_code is None and time.monotonic() < give_up:
            time.sleep(POLL_SECONDS)

    def kill(self) -> int:
        """``kill -9`` for it and all its descendants that stayed in its group; answers its exit code."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start ``command``; ``environment`` takes the place of ours, ``user`` needs root, ``stop_signal`` asks to end."""
    with log.open("ab") as output:
        log_start = output.tell()
        process = subprocess.Popen(
            mortal(command, stop_signal, user),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
    return Child(name, process, stop_signal, log, log_start)


def mortal(
    command: Sequence[str | Path], stop_signal: signal.Signals = signal.SIGTERM, user: str | None = None
) -> list[str]:
    """``command`` such that it gets ``stop_signal`` when we end, even by kill -9."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(stop_signal)), user or "-"]
    return [*launcher, *map(str, command)]


class Processes:
    """Children by name, stopped in reverse order at the end of the ``with`` block."""

    def __init__(self, log_directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log_directory = log_directory
        self._environment = environment
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def start(
        self, name: str, command: Sequence[str | Path], *, ready: Ready | None = None, seconds: float = 30
    ) -> Child:
        """Start ``name`` anew (its log is appended to) and wait until ``ready``; raises ``StartFailed``."""
        before = self._children.get(name)
        if before is not None and before.exit_code is not None:
            before.kill()
        log = self._log_directory / f"{name}.log"
        child = start(name, command, log=log, environment=self._environment)
        self._children[name] = child
        if ready is not None:
            child.wait_ready(ready, seconds=seconds)
        return child

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def stop(self, name: str) -> int:
        return self._children.pop(name).stop()

    def kill9(self, name: str) -> int:
        return self._children.pop(name).kill()

    def stop_all(self) -> None:
        while self._children:
            _, child = self._children.popitem()
            child.stop()

    def ended(self) -> Child | None:
        """The first child that ended by itself, if any did."""
        return next((child for child in self._children.values() if child.exit_code is not None), None)


def http_ready(url: str) -> Ready:
    """Whether ``url`` answers with anything below 500. No proxy is ever asked."""
    parts = urlsplit(url)

    def ready() -> bool:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", parts.path or "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


def line_ready(log: Path, text: str) -> Ready:
    """Whether ``text`` stands in what was appended to ``log`` since now."""
    offset = log.stat().st_size if log.exists() else 0

    def ready() -> bool:
        if not log.exists():
            return False
        with log.open("rb") as file:
            file.seek(offset)
            return text.encode() in file.read()

    return ready
