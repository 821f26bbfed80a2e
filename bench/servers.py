"""The servers that are measured: PostgreSQL, and gunicorns with the same settings and different applications.

The application under test has a core for itself; PostgreSQL and the load generator share the other.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from dev import postgres, processes, unprivileged
from dev.ports import LOOPBACK, free_port
from drydock.db import migrate

ROOT = Path(__file__).parents[1]
API = "drydock.wsgi:application"
SECRET = secrets.token_bytes(32)
SERVER_CORE, OTHER_CORE = 0, (os.cpu_count() or 1) - 1


_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")


@dataclass(frozen=True, slots=True)
class Server:
    address: tuple[str, int]
    child: processes.Child

    def cpu_seconds(self) -> float:
        """CPU used so far by all its processes."""
        parent = psutil.Process(self.child.pid)
        times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
        return sum(time.user + time.system for time in times)

    def peak_mib(self) -> float:
        """The most memory that any of its processes has had so far."""
        pids = (process.pid for process in psutil.Process(self.child.pid).children(recursive=True))
        peaks = [int(_PEAK.findall(Path(f"/proc/{pid}/status").read_text())[0]) for pid in pids]
        return max(peaks) / 1024


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory for everything, and this process on its core."""
    os.sched_setaffinity(0, {OTHER_CORE})
    with unprivileged.temporary_directory("drydock-bench-") as directory:
        yield directory


@contextmanager
def database(directory: Path) -> Iterator[str]:
    """The URL of a durable PostgreSQL with our schema."""
    with postgres.start(directory / "postgres") as server:
        migrate.upgrade(server.url)
        yield server.url


def environment(database_url: str, port: int, **more: str) -> dict[str, str]:
    return {
        **processes.neutral_environment(),
        "PYTHONPATH": str(ROOT),
        "DRYDOCK_DATABASE_URL": database_url,
        "OS_API__AUTH_STRATEGY": "noauth",
        "OS_API__PORT": str(port),
        "OS_API__WORKERS": "1",
        "OS_BOOTACTION__SECRETS": SECRET.hex(),
        "OS_DRIVERS__NODE": "simulated",
        "OS_DRIVERS__OOB": "redfish",
        **more,
    }


@contextmanager
def gunicorn(
    directory: Path, application: str, database_url: str, *, pinned: bool = True, **more: str
) -> Iterator[Server]:
    """``application`` in our gunicorn settings; ``more``: variables of its environment."""
    port = free_port()
    child = processes.start(
        application,
        [
            *((["taskset", "-c", str(SERVER_CORE)]) if pinned else []),
            *(sys.executable, "-m", "gunicorn", "-c", str(ROOT / "etc/drydock/gunicorn.conf.py"), application),
        ],
        log=directory / f"{application.replace(':', '.')}.log",
        environment=environment(database_url, port, **more),
        directory=directory,
    )
    try:
        child.wait_ready(processes.http_ready(f"http://{LOOPBACK}:{port}/versions"))
        yield Server((LOOPBACK, port), child)
    finally:
        child.stop()
