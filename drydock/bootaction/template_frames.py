"""The protocol of worker and renderer: a JSON header and a body of bytes, each preceded by its length.

A request's header is ``source``, ``variables``, ``seconds``, ``max_bytes``, ``repeatable``; it has no body. An answer's
header is ``kind`` (one of ``Kind``), ``unknown`` (names) or ``message`` (the error), and ``last`` (whether this process
ends now); its body is the rendered text, or the error's.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

_LENGTHS = struct.Struct("!II")
MAX_HEADER = 64 * 1024


class Kind(StrEnum):
    READY = "ready"
    TEXT = "text"
    FAULT = "fault"
    LIMIT = "limit"


class FrameError(OSError):
    """The peer has ended, or violates the protocol."""


def pack(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    head = json.dumps(header).encode()
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))


def receive(connection: socket.socket, *, max_header: int, max_body: int) -> tuple[Mapping[str, Any], bytes]:
    """Raises ``FrameError``, before anything longer than allowed is read, and ``TimeoutError``."""
    head_size, body_size = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    if head_size > max_header or body_size > max_body:
        raise FrameError("a frame is larger than allowed")
    frame = _exactly(connection, head_size + body_size)
    return json.loads(frame[:head_size]), frame[head_size:]


def _exactly(connection: socket.socket, size: int) -> bytes:
    first = connection.recv(size)
    if len(first) == size:
        return first
    frame = bytearray(size)
    view = memoryview(frame)
    view[: len(first)] = first
    got, more = len(first), len(first)
    while got < size and more:
        more = connection.recv_into(view[got:])
        got += more
    if got < size:
        raise FrameError("the peer has ended")
    return bytes(frame)
