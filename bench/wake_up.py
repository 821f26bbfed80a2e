"""How soon a report wakes its task."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg2
from sqlalchemy.engine import make_url

from bench import rows, servers
from bench.figures import Figures, table
from bench.load import Load, LoadFailed, request
from dev import processes
from dev.ports import free_port

WAKE_WITHIN = 0.1


def measure(found: Figures, directory: Path, url: str, *, quick: bool) -> None:
    with servers.gunicorn(directory, servers.API, url) as server:
        times = _wake_times(directory, server, url, 20 if quick else 100)
    table(
        "From sending a final report until a worker took its task up, ms",
        ["median", "p95", "longest"],
        [[f"{_percentile(times, percent) * 1e3:.1f}" for percent in (50, 95, 100)]],
    )
    found.add("wake_p95_ms", _percentile(times, 95) * 1e3, "<=", WAKE_WITHIN * 1e3)


def _wake_times(directory: Path, server: servers.Server, url: str, count: int) -> list[float]:
    """Seconds until a worker held the task, each from the moment before the report was sent."""
    rows.clear(url)
    site = rows.site(url, count, 16, actions=1)
    with ExitStack() as stack:
        log = directory / "worker.log"
        worker = processes.start(
            "worker",
            [sys.executable, "-m", "drydock.worker"],
            log=log,
            environment=servers.environment(url, free_port()),
            directory=directory,
        )
        stack.callback(worker.stop)
        worker.wait_ready(processes.line_ready(log, "worker ready"))
        connection = psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
        stack.callback(connection.close)
        connection.autocommit = True
        with connection.cursor() as cursor:
            return [_wake_time(server, cursor, booting) for booting in site]


def _wake_time(server: servers.Server, cursor: psycopg2.extensions.cursor, booting: rows.Booting) -> float:
    body = json.dumps({"status": "success"}).encode()
    path = f"/api/v1.0/bootaction/{booting.actions[0]}"
    report = request("POST", path, headers={"X-Bootaction-Key": booting.key}, body=body, keep_alive=False)
    started = time.perf_counter()
    answers = Load(server.address, iter([[report]]), connections=1, keep_alive=False).run().answers
    if set(answers) != {200}:
        raise LoadFailed(f"the report was answered with {dict(answers)}")
    epoch = 0
    while not epoch:
        if time.perf_counter() - started > 30:
            raise LoadFailed("no worker took the task up")
        cursor.execute("SELECT lease_epoch FROM tasks WHERE id = %s", (str(booting.task_id),))
        (epoch,) = cursor.fetchone() or (0,)
    return time.perf_counter() - started


def _percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]
