"""A server with short limits and a small application, to be run by gunicorn: see test_slow_connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from drydock.http_server import ServerLimits, buffered_worker

MIB = 1024 * 1024
LIMITS = ServerLimits(
    body_bytes=4 * MIB,
    head_seconds=1,
    idle_seconds=1,
    grace_seconds=1,
    bytes_per_second=MIB,
    linger_seconds=1,
    connections=60,
    bodies_bytes=8 * MIB,
    ahead_bytes=MIB,
    unread_bytes=32 * MIB,
    most_unread_bytes=64 * MIB,
    still_seconds=0.5,
    still_seconds_at_most_unread=0.25,
)

worker_class = buffered_worker(LIMITS)
workers = 1
threads = 4
graceful_timeout = 10
control_socket_disable = True

#: Lists that are being made, by what they were asked with.
_open: list[str] = []


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise RuntimeError("nobody foresaw this")
    if path == "/no-more-threads":
        threading.stack_size(1 << 46)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/large":
        return [b"x" * 12 * MIB]
    if path == "/list":
        return _list()
    if path == "/open":
        return [str(len(_open)).encode()]
    if path == "/slow":
        time.sleep(3)
    return [environ["wsgi.input"].read()]


def _list() -> Iterator[bytes]:
    """As one that reads a database: something stays open until it is closed."""
    _open.append("list")
    try:
        for _ in range(200):
            yield b"x" * MIB
    finally:
        _open.pop()
