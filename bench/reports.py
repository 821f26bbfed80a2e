"""POST bootaction and POST tasks against the bare SQL of their transactions, and how soon a report wakes its task."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg2
from sqlalchemy.engine import make_url

from bench import rows, servers
from bench.figures import Figures, Sample, table
from bench.load import Load, LoadFailed, request
from dev import processes

WAKE_WITHIN = 0.1
ACTIONS = 10
#: No machine that this runs on makes so many transactions.
MOST_PER_SECOND = 4000
CONNECTIONS = (1, 8, 64)
#: Of the bare SQL's speed. An operator's request may take twice as long as its transaction; a report, of which a rack
#: sends thousands, less. Over one connection HTTP alone (``empty`` of ``bench.floors``) takes half a task's SQL again.
TARGETS = {"reports": 0.6, "tasks": 0.5}


def measure(found: Figures, directory: Path, url: str, *, quick: bool) -> None:
    rounds, seconds = (3, 0.25) if quick else (9, 1.0)
    connections = (1, 8) if quick else CONNECTIONS
    rows.clear(url)
    with servers.gunicorn(directory, servers.API, url) as server:
        bench = _Bench(server, url, rounds, seconds)
        for kind in ("reports", "tasks"):
            measured = {number: bench.compare(kind, number) for number in connections}
            _show(kind, measured)
            for number, pairs in measured.items():
                ratio = Sample(tuple(ours / bare for ours, bare in pairs)).median
                found.add(f"{kind}_over_bare_sql_{number}_connections", ratio, ">=", TARGETS[kind])
        times = _wake_times(directory, server, url, 20 if quick else 100)
    table(
        "From sending a final report until a worker took its task up, ms",
        ["median", "p95", "longest"],
        [[f"{_percentile(times, percent) * 1e3:.1f}" for percent in (50, 95, 100)]],
    )
    found.add("wake_p95_ms", _percentile(times, 95) * 1e3, "<=", WAKE_WITHIN * 1e3)


class _Bench:
    """``compare`` measures one kind of request, ours and bare in turns."""

    def __init__(self, server: servers.Server, url: str, rounds: int, seconds: float) -> None:
        self._server = server
        self._url = url
        self._rounds = rounds
        self._seconds = seconds
        self._unused: list[tuple[rows.Booting, str]] = []
        self._nodes = 0

    def compare(self, kind: str, connections: int) -> list[tuple[float, float]]:
        """(ours, bare) transactions per second of each round."""
        return [(self._ours(kind, connections), self._bare(kind, connections)) for _ in range(self._rounds + 1)][1:]

    def _ours(self, kind: str, connections: int) -> float:
        requests = self._reports() if kind == "reports" else self._tasks()
        load = Load(self._server.address, requests, connections=connections, keep_alive=True)
        result = load.run(seconds=self._seconds)
        if not set(result.answers) <= {200, 201} or result.lost:
            raise LoadFailed(f"{dict(result.answers)}, {result.lost} connections lost")
        return result.rate

    def _bare(self, kind: str, connections: int) -> float:
        work = self._actions() if kind == "reports" else []
        done = subprocess.run(
            [sys.executable, "-m", "bench.bare", kind, str(connections), str(self._seconds)],
            input=json.dumps([(action, str(booting.task_id)) for booting, action in work]),
            env=servers.environment(self._url, 0),
            cwd=servers.ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return float(done.stdout)

    def _reports(self) -> Iterator[list[bytes]]:
        body = json.dumps({"status": "success", "details": [{"message": "done", "error": False}]}).encode()
        return iter(
            [
                [
                    request(
                        "POST",
                        f"/api/v1.0/bootaction/{action}",
                        headers={"X-Bootaction-Key": booting.key},
                        body=body,
                        keep_alive=True,
                    )
                ]
                for booting, action in self._actions()
            ]
        )

    def _tasks(self) -> Iterator[list[bytes]]:
        body = json.dumps({"action": "deploy_nodes", "design_ref": "drydock://designs/none"}).encode()
        headers = {"X-Auth-Token": "admin"}
        return itertools.repeat([request("POST", "/api/v1.0/tasks", headers=headers, body=body, keep_alive=True)])

    def _actions(self) -> list[tuple[rows.Booting, str]]:
        """Boot actions without a final status, more than a round can use up; neighbours are of different nodes."""
        nodes = int(MOST_PER_SECOND * self._seconds / ACTIONS) + 1
        site = rows.site(self._url, nodes, 16, actions=ACTIONS, first=self._nodes)
        self._nodes += nodes
        rows.analyze(self._url)
        return [(one, one.actions[number]) for number in range(ACTIONS) for one in site]


def _show(kind: str, measured: dict[int, list[tuple[float, float]]]) -> None:
    table(
        f"POST {'bootaction' if kind == 'reports' else 'tasks'}: transactions per second",
        ["connections", "drydock/s", "bare SQL/s", "ratio"],
        [
            [
                number,
                Sample(tuple(ours for ours, _ in pairs)),
                Sample(tuple(bare for _, bare in pairs)),
                f"{Sample(tuple(ours / bare for ours, bare in pairs)).median:.2f}",
            ]
            for number, pairs in measured.items()
        ],
    )


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
            environment=servers.environment(url, 0),
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
