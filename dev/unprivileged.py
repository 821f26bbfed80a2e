"""Doing things as another user than root, for programs that refuse to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def user_for_servers() -> str | None:
    """``nobody`` when we are root, else None: stay who we are."""
    return "nobody" if os.geteuid() == 0 else None


def run(command: Sequence[str | Path], user: str | None) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its end as ``user``; raises ``PermissionError`` when ``user`` may not even start it."""
    if user is None:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    return subprocess.run(
        command, capture_output=True, text=True, check=False,
        user=user, group=_group(user), extra_groups=[], cwd="/",
    )  # fmt: skip


def can_run(program: Path, user: str) -> bool:
    """Whether ``user`` can reach and execute ``program`` (asked for its version)."""
    try:
        return run([program, "--version"], user).returncode == 0
    except PermissionError:
        return False


def can_enter(directory: Path, user: str) -> bool:
    return run(["/bin/sh", "-c", 'cd "$1"', "sh", directory], user).returncode == 0


def give(path: Path, user: str | None) -> None:
    """Make ``user`` the owner."""
    if user is not None:
        shutil.chown(path, user, _group(user))


def enterable_directory(prefix: str) -> Path:
    """A new directory outside of any home, which any user may enter and only its owner may list."""
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir="/var/tmp"))
    directory.chmod(0o711)
    return directory


@contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """The same for the time of a ``with`` block; the temporary directories of pytest belong to root alone."""
    directory = enterable_directory(prefix)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
