"""A site boots: 1,000 machines, each two tarballs and three reports, while things go wrong.

    python -m bench.rack_boot [--quick] [--check]

All the while 300 other clients say half of a request, for as long as they may, and a worker deploys other machines,
simulated ones, through the same API. In the middle of it one of the API's processes is killed with -9 (its master
starts another). Not one answer may be other than 2xx. A connection
that a killed process had accepted ends without an answer, which is nobody's to prevent; these are counted apart, and
their machines ask again, as wget and curl --retry do. Reports carry an Idempotency-Key, so asking again is harmless.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from bench import figures, gen_site, rows, servers
from bench.figures import Figures, table
from bench.load import Load, Result, request
from bench.slow import slow_clients
from dev import processes
from dev.ports import LOOPBACK, free_port

BYTES = 16 * 1024
ADMIN = {"X-Auth-Token": "admin"}
ASKS = 5  # of each machine
SLOW = 300


@dataclass(frozen=True, slots=True)
class Site:
    address: tuple[str, int]
    api: psutil.Process

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}/api/v1.0"


def main() -> None:
    options = figures.options(__doc__)
    found = Figures(check=options.check)
    machines, deployed = (200, 5) if options.quick else (1000, 30)
    body = []
    cores = os.sched_getaffinity(0)
    with servers.workplace() as directory, servers.database(directory) as url:
        os.sched_setaffinity(0, cores)
        with _site(directory, url) as site:
            design = _upload(site, deployed)
            for connections in (64, 512):
                task = _deploy(site, design)
                with slow_clients(site.address, SLOW):
                    result = _boot(site, url, machines, connections)
                outcome = _outcome(site, task)
                body.append(_row(connections, result, outcome))
                good = sum(count for status, count in result.answers.items() if status // 100 == 2)
                found.add(f"rack_{connections}_answers_2xx_of_asked", good / (machines * ASKS), ">=", 1)
                found.add(f"rack_{connections}_other_answers", sum(result.answers.values()) - good, "<=", 0)
                found.add(f"rack_{connections}_deployed_meanwhile", len(outcome["successes"]), ">=", deployed)
                found.add(f"rack_{connections}_reports_missing", machines - _finals(url), "<=", 0)
    table(
        f"{machines} machines, two tarballs of {BYTES} bytes and three reports each, one API process killed",
        ["connections", "answers", "without answer", "per second", "p50 ms", "p99 ms", "longest ms", "deployment"],
        body,
    )
    found.finish()


@contextmanager
def _site(directory: Path, database_url: str) -> Iterator[Site]:
    """API with two processes, a worker and its simulated machines."""
    port, simulator = free_port(), free_port()
    base = f"http://{LOOPBACK}:{port}/api/v1.0"
    variables = servers.environment(
        database_url,
        port,
        OS_API__WORKERS="2",
        OS_SIMULATED__URL=f"http://{LOOPBACK}:{simulator}",
        OS_BOOTACTION__REPORT_URL=f"{base}/bootaction/",
        OS_BOOTACTION__BOOTDATA_URL=f"{base}/bootdata/",
        OS_ORCHESTRATOR__OBSERVE_INTERVAL="1",
    )
    programs = Path(sys.executable).parent
    (directory / "machines").mkdir()
    rack: list[str | Path] = [
        programs / "drydock-simulator",
        "--port",
        str(simulator),
        "--directory",
        directory / "machines",
    ]
    with processes.Processes(directory, variables) as children:
        children.start(
            "simulator",
            [*rack, "--rack-on-demand", "--install-delay", "1-2", "--boot-delay", "0.2-0.5"],
            ready=processes.http_ready(f"http://{LOOPBACK}:{simulator}/health"),
        )
        api = children.start("api", [programs / "drydock-api"], ready=processes.http_ready(f"{base}/health"))
        log = processes.line_ready(directory / "worker.log", "worker ready")
        children.start("worker", [programs / "drydock-worker"], ready=log)
        yield Site((LOOPBACK, port), psutil.Process(api.pid))


def _upload(site: Site, nodes: int) -> str:
    headers = {**ADMIN, "Content-Type": "application/x-yaml"}
    # Its boot action is not one that the simulated machines report on.
    design = gen_site.site(nodes).replace(
        b"name: hosts-file}\ndata:\n", b"name: hosts-file}\ndata:\n  signaling: false\n"
    )
    answer = requests.post(f"{site.url}/designs", data=design, headers=headers, timeout=300)
    answer.raise_for_status()
    return str(answer.json()["design_ref"])


def _deploy(site: Site, design: str) -> str:
    body = {"action": "deploy_nodes", "design_ref": design}
    answer = requests.post(f"{site.url}/tasks", json=body, headers=ADMIN, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["task_id"])


def _boot(site: Site, url: str, machines: int, connections: int) -> Result:
    """Every machine's five requests; a third through, an API process dies."""
    scripts = [_script(booting) for booting in rows.site(url, machines, BYTES, actions=1)]
    rows.analyze(url)
    victims = [child.pid for child in site.api.children()]

    def kill_one(answered: int) -> None:
        if victims and answered > machines * ASKS / 3:
            os.kill(victims[0], signal.SIGKILL)
            victims.clear()

    load = Load(site.address, iter(scripts), connections=connections, keep_alive=False)
    result = load.run(meanwhile=kill_one)
    if victims:
        raise SystemExit("the rack was up before an API process was killed")
    return result


def _script(booting: rows.Booting) -> list[bytes]:
    key = {"X-Bootaction-Key": booting.key}
    (action,) = booting.actions

    def report(number: int, body: dict[str, object]) -> bytes:
        headers = {**key, "Idempotency-Key": f"{action}-{number}"}
        path = f"/api/v1.0/bootaction/{action}"
        return request("POST", path, headers=headers, body=json.dumps(body).encode(), keep_alive=False)

    line = {"message": "one step further", "error": False}
    return [
        request("GET", f"/api/v1.0/bootdata/{booting.name}/units", headers=key, keep_alive=False),
        request("GET", f"/api/v1.0/bootdata/{booting.name}/files", headers=key, keep_alive=False),
        report(1, {"details": [line]}),
        report(2, {"details": [line, line]}),
        report(3, {"status": "success", "details": [line]}),
    ]


def _outcome(site: Site, task_id: str) -> dict[str, list[str]]:
    while True:
        answer = requests.get(f"{site.url}/tasks/{task_id}?wait=30", headers=ADMIN, timeout=90)
        answer.raise_for_status()
        task = answer.json()
        if task["status"] in ("complete", "terminated"):
            result: dict[str, list[str]] = task["result"]
            return result


def _finals(url: str) -> int:
    """How many machines' final reports are there; then the machines are forgotten, for the next turn."""
    with rows.connected(url) as connection:
        return rows.forget_site(connection)


def _row(connections: int, result: Result, outcome: dict[str, list[str]]) -> list[object]:
    return [
        connections,
        ", ".join(f"{count} × {status}" for status, count in sorted(result.answers.items())),
        result.lost,
        f"{result.rate:.0f}",
        *(f"{result.percentile(percent) * 1e3:.0f}" for percent in (50, 99, 100)),
        f"{len(outcome['successes'])} ok, {len(outcome['failures'])} failed",
    ]


if __name__ == "__main__":
    main()
