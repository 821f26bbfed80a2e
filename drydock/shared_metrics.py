"""The directory in which the processes of an API add up their numbers: made, kept from overflowing, removed.

prometheus-client maps a file per process and kind of metric into memory. Where the disk has no room for a page of it,
writing there kills the process (SIGBUS). So each process reserves all its room before it counts anything; one that
finds none counts for itself, and says so.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import struct
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

LOG = logging.getLogger(__name__)

#: As in drydock.metrics, which must not be imported before the variable is set.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: What a file holds at most, by the kind of metric; a test counts every series that there can be.
RESERVED_BYTES = {"counter": 1 << 20, "histogram": 1 << 21, "gauge_livesum": 1 << 16}


def share() -> None:
    """Before processes are forked: name a directory in the environment, unless the operator did or there is no room."""
    named = os.environ.get(VARIABLE)
    try:
        directory = named or tempfile.mkdtemp(prefix="drydock-metrics-")
        if not named:
            atexit.register(_remove, directory, os.getpid())
        _reserve(Path(directory), "probe")
        for path in Path(directory).glob("*_probe.db"):
            path.unlink()
    except OSError as exc:
        os.environ.pop(VARIABLE, None)
        LOG.warning("each process shows its own metrics: %s", _reason(named, exc))
        return
    os.environ[VARIABLE] = directory


def reserve(environ: MutableMapping[str, str]) -> None:
    """In a process that was forked, before it counts anything: take its room, or count for itself."""
    directory = environ.get(VARIABLE)
    if directory is None:
        return
    try:
        _reserve(Path(directory), str(os.getpid()))
    except OSError as exc:
        del environ[VARIABLE]
        LOG.warning("this process shows its own metrics: %s", _reason(directory, exc))


def give_back(pid: int) -> None:
    """A process has gone: what it counted stays, what it was doing does not, nor the room that it did not use."""
    directory = os.environ.get(VARIABLE)
    if directory is None:
        return
    for path in Path(directory).glob(f"*_{pid}.db"):
        if path.name.startswith("gauge_live"):
            path.unlink(missing_ok=True)
            continue
        with path.open("rb+") as file:
            (used,) = struct.unpack("i", file.read(4))
            file.truncate(used)
        if not used:
            path.unlink()


def _reserve(directory: Path, owner: str) -> None:
    made: list[Path] = []
    try:
        for kind, size in RESERVED_BYTES.items():
            path = directory / f"{kind}_{owner}.db"
            with path.open("ab") as file:
                made.append(path)
                # Written, not only made longer: a hole in a file has no room.
                file.write(bytes(size - file.tell()))
    except OSError:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _remove(directory: str, owner: int) -> None:
    # Processes that were forked end by the same way.
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _reason(directory: str | None, exc: OSError) -> str:
    where = f"{VARIABLE} {directory}" if directory else "the directory for temporary files (TMPDIR)"
    return f"{where} cannot be used: {exc.strerror or exc}"
