"""Become another program that ends with its parent: ``python -I -S launch.py PARENT_PID SIGNAL USER|- COMMAND…``.

A program of its own because this must happen between fork and exec, and Python code there
(``preexec_fn``) is not safe in a process with threads.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    """Drop root for ``user``, supplementary groups included."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel to send us ``signal_number`` when ``parent`` ends; Linux only, elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        sys.exit(1)


def main() -> None:
    parent, signal_number, user, *command = sys.argv[1:]
    if user != "-":
        become(user)  # first: a change of user clears the request that die_with makes
    die_with(int(parent), int(signal_number))
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
