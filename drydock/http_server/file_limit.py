"""How many connections there is room for among a process's file descriptors."""

from __future__ import annotations

import resource

#: For what is no connection: the log, the database, the poller, what is read from files.
_OTHERS = 200


def room_for(connections: int) -> int:
    """``connections``, or as many as the process may have. Raises its limit as far as it may do so itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OTHERS))
