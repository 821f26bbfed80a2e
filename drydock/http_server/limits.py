"""What one connection, and all connections of a process together, may take."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes, times in seconds.

    ``body_bytes``: the largest body that is read; the application is given larger ones unread, to refuse them.
    ``bytes_per_second``: what a client must send of its body, and take of its answer, on average, once
    ``grace_seconds`` have passed.
    """

    body_bytes: int = 64 * MIB
    head_bytes: int = 64 * KIB
    head_seconds: float = 10.0
    idle_seconds: float = 5.0
    grace_seconds: float = 20.0
    bytes_per_second: int = 16 * KIB
    #: How long what a client still sends is read and dropped, after an answer that ends its connection.
    linger_seconds: float = 3.0
    #: Connections of a process. When there are as many, the idlest makes room for the next.
    connections: int = 1000
    #: Requests of different paths that wait for a thread, before a process leaves more to its neighbours.
    requests: int = 128
    #: Bodies that are in memory at a time, incomplete ones included. Beyond it the oldest incomplete one is given up.
    bodies_bytes: int = 256 * MIB
    #: How far an answer that is made piece by piece may be ahead of its reader before its thread waits.
    ahead_bytes: int = 2 * MIB
    #: Answers in memory that their clients have not taken. Beyond the first, readers that stand still are dropped;
    #: beyond the second they are dropped at once, and no further request is begun.
    unread_bytes: int = 256 * MIB
    most_unread_bytes: int = 512 * MIB
    still_seconds: float = 3.0
    still_seconds_at_most_unread: float = 0.5
