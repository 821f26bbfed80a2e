"""Limits of one connection and of all connections of a process."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes, times in seconds.

    ``body_bytes``: the largest body that is read; larger ones are passed unread to the application, which refuses them.
    ``bytes_per_second``: minimum average rate of sending a body and of reading an answer, once
    ``grace_seconds`` have passed.
    """

    body_bytes: int = 64 * MIB
    head_bytes: int = 64 * KIB
    head_seconds: float = 10.0
    idle_seconds: float = 5.0
    grace_seconds: float = 20.0
    bytes_per_second: int = 16 * KIB
    #: How long further input is read and dropped after an answer that ends the connection.
    linger_seconds: float = 3.0
    #: Connections of a process. At this number the connection that is idle longest is closed for the next.
    connections: int = 1000
    #: Paths with queued requests at which a process stops accepting and leaves connections to other processes.
    requests: int = 128
    #: Bytes of all bodies in memory, incomplete ones included. Beyond it the oldest incomplete one is dropped.
    bodies_bytes: int = 256 * MIB
    #: Bytes that a generated answer may be ahead of its reader before its thread waits.
    ahead_bytes: int = 2 * MIB
    #: Bytes of unread answers in memory. Beyond the first limit stalled readers are dropped after some seconds;
    #: beyond the second they are dropped sooner, and no further request is begun.
    unread_bytes: int = 256 * MIB
    most_unread_bytes: int = 512 * MIB
    still_seconds: float = 3.0
    still_seconds_at_most_unread: float = 0.5
