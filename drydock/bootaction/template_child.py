"""The worker's side of one renderer process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass

from drydock.bootaction.template_frames import MAX_HEADER, FrameError, Kind, receive
from drydock.bootaction.template_limits import LimitExceededError
from drydock.errors import RendererUnavailable

_START_SECONDS = 60.0
#: Wall-clock limit of a request as a multiple of its CPU time, for a loaded machine.
_PATIENCE = 4
_PATIENCE_SECONDS = 10.0
_MAX_FAULT = 4096
#: Inherited environment variables: what Python may need to start.
_KEPT = ("LD_LIBRARY_PATH", "PYTHONHOME")


@dataclass(frozen=True, slots=True)
class Answer:
    """``body``: the rendered text, or the text of the error ``message``."""

    kind: Kind
    body: bytes
    unknown: tuple[str, ...] = ()
    message: str = ""


class ChildGoneError(RendererUnavailable):
    """The process has ended; another one may be used."""


class TemplateChild:
    """Not safe for threads. Its process is ended and reaped with it, at the latest with ours.

    If we are killed, an idle process ends as its socket closes, a busy one when its CPU time is used up.
    """

    def __init__(self, *, max_memory: int) -> None:
        """Raises ``RendererUnavailable``."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [
                        interpreter(sys.executable, sys.exec_prefix),
                        "-sP",
                        "-m",
                        "drydock.bootaction.template_process",
                        str(max_memory),
                    ],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as exc:
                ours.close()
                raise RendererUnavailable(f"a template renderer cannot be started: {exc.strerror}") from exc
        self._connection = ours
        self.ended = False
        self.end = weakref.finalize(self, _end, self._process, ours)
        try:
            ours.settimeout(_START_SECONDS)
            receive(ours, max_header=MAX_HEADER, max_body=0)
        except OSError as exc:
            self._abandon()
            raise RendererUnavailable("a template renderer did not start; its error is in the worker's log") from exc

    @property
    def alive(self) -> bool:
        return not self.ended and self._process.poll() is None

    def ask(self, request: bytes, *, seconds: float, max_bytes: int) -> Answer:
        """``seconds``: the CPU time of the request, only for the error's text.

        Raises ``LimitExceededError`` if the request ended the process, ``ChildGoneError`` if it had ended before, and
        ``RendererUnavailable`` if it does not answer for much longer than its CPU time.
        """
        give_up = time.monotonic() + _PATIENCE * seconds + _PATIENCE_SECONDS
        try:
            self._connection.settimeout(max(0.001, give_up - time.monotonic()))
            self._connection.sendall(request)
            self._connection.settimeout(max(0.001, give_up - time.monotonic()))
            header, body = receive(self._connection, max_header=MAX_HEADER, max_body=max(max_bytes, _MAX_FAULT))
        except TimeoutError as exc:
            self._abandon()
            raise RendererUnavailable("a template renderer did not answer; the machine may be overloaded") from exc
        except ConnectionError as exc:
            # It ended with the request unread, so the template is not the cause.
            self._abandon()
            raise ChildGoneError("a template renderer was ended while it was idle") from exc
        except FrameError as exc:
            raise LimitExceededError(self._reason(seconds)) from exc
        if header["last"]:
            self._abandon()
        return Answer(Kind(header["kind"]), body, tuple(header.get("unknown", ())), header.get("message", ""))

    def _reason(self, seconds: float) -> str:
        """Why the process has just ended."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        self._abandon()
        if status == -signal.SIGPROF:
            return f"the template takes longer than {seconds:g} s"
        if status < 0:
            return f"the template ended its renderer by signal {-status} ({signal.Signals(-status).name})"
        return f"the template ended its renderer with exit status {status}"

    def _abandon(self) -> None:
        self.ended = True
        self.end()


def interpreter(executable: str, prefix: str) -> str:
    """The Python that runs this. ``executable`` of a server that embeds it, such as uWSGI, is the server itself."""
    if os.path.basename(executable).startswith("python"):
        return executable
    return os.path.join(prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def _end(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    connection.close()
    process.kill()
    process.wait()


def _environment() -> dict[str, str]:
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in _KEPT if name in os.environ}
