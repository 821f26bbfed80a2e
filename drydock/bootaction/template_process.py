"""The process that renders untrusted templates; the operating system ends it at a limit.

    python -m drydock.bootaction.template_process MEMORY_BYTES

Its standard input is a socket, from which it reads requests until the peer closes it. A timer of the
kernel ends it by SIGPROF when a request has used its CPU time, even within a call that does not return.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from drydock.bootaction.template_frames import FrameError, Kind, pack, receive
from drydock.bootaction.template_limits import LimitExceededError
from drydock.bootaction.templates import FAULTS, TemplateRenderer

#: Maximum length of a source and its variables, escaped.
_MAX_REQUEST = 16 * 1024 * 1024
#: Memory for what is compiled and imported late, such as codecs.
_OPEN_FILES = 16


def main() -> None:
    max_memory = int(sys.argv[1])
    # A signal to the worker's process group must not end this process: running steps are finished.
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    renderer = TemplateRenderer()
    renderer.render("{% for x in [1] %}{{ x | tojson }}{% endfor %}", {}, max_bytes=100)
    gc.freeze()
    # Kept open, because it is read after each template.
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    _limit(_memory(statm) + max_memory)
    # Memory that was not freed would reduce the next template's limit.
    retire_at = _memory(statm) + max_memory // 4
    with socket.socket(fileno=0) as connection:
        try:
            connection.sendall(pack({"kind": Kind.READY}))
            last = False
            while not last:
                request, _ = receive(connection, max_header=_MAX_REQUEST, max_body=0)
                header, body = _answer(renderer, request)
                last = header["kind"] is Kind.LIMIT or _memory(statm) > retire_at
                connection.sendall(pack({**header, "last": last}, body))
        except (FrameError, ConnectionError):
            # The worker has closed its end, or is gone.
            return


def _limit(address_space: int) -> None:
    limits = {
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_NPROC: 0,
    }
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _memory(statm: int) -> int:
    """Bytes of address space, which the limit counts."""
    return int(os.pread(statm, 32, 0).split()[0]) * resource.getpagesize()


def _answer(renderer: TemplateRenderer, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    # NOTE: a worker of 0.2 that runs when its files are replaced starts this module, and does not send it.
    if request.get("repeatable"):
        # What Jinja's filter random draws from.
        random.seed(0)
    signal.setitimer(signal.ITIMER_PROF, request["seconds"])
    try:
        text, unknown = renderer.render(request["source"], request["variables"], max_bytes=request["max_bytes"])
        return {"kind": Kind.TEXT, "unknown": unknown}, text
    except LimitExceededError as exc:
        return {"kind": Kind.LIMIT, "message": str(exc)}, b""
    except MemoryError:
        return {"kind": Kind.LIMIT, "message": "the template needs too much memory"}, b""
    except FAULTS as exc:
        line = getattr(exc, "lineno", None)
        message = type(exc).__name__ + (f" (line {line})" if line else "")
        return {"kind": Kind.FAULT, "message": message}, f"{exc!s:.500}".encode("utf-8", "backslashreplace")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if request.get("repeatable"):
            random.seed()


if __name__ == "__main__":
    main()
