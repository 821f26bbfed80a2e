"""The directory in which the processes of an API share their metrics: created, sized, removed.

prometheus-client maps a file per process and kind of metric into memory. If the disk has no space for a page,
writing there kills the process (SIGBUS). So each process allocates its files before it counts anything; a process
that cannot keeps its metrics to itself and logs that.
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
#: Maximum size of a file by kind of metric; a test counts all possible series.
RESERVED_BYTES = {"counter": 1 << 20, "histogram": 1 << 21, "gauge_livesum": 1 << 16}


def share() -> None:
    """Before the fork: set a directory in the environment, unless the operator did or the disk is full."""
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
    """In a forked process, before it counts anything: allocate its files, or keep its metrics to itself."""
    directory = environ.get(VARIABLE)
    if directory is None:
        return
    try:
        _reserve(Path(directory), str(os.getpid()))
    except OSError as exc:
        del environ[VARIABLE]
        LOG.warning("this process shows its own metrics: %s", _reason(directory, exc))


def give_back(pid: int) -> None:
    """A process has ended: keep its counters; remove its gauges and unused space."""
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
                # Written, not only extended: a hole in a file has no disk space.
                file.write(bytes(size - file.tell()))
    except OSError:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _remove(directory: str, owner: int) -> None:
    # Forked processes run this at their end too.
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _reason(directory: str | None, exc: OSError) -> str:
    where = f"{VARIABLE} {directory}" if directory else "the directory for temporary files (TMPDIR)"
    return f"{where} cannot be used: {exc.strerror or exc}"
