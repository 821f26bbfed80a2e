"""Fits the number of connections to the process's limit of file descriptors."""

from __future__ import annotations

import resource

#: File descriptors for other uses: log, database, poller, files.
_OTHERS = 200


def room_for(connections: int) -> int:
    """``connections``, or as many as the limit allows. Raises the soft limit as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OTHERS))
