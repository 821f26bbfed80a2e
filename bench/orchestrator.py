"""What the orchestrator costs: CPU per node, claims per second beside bare SQL, time from request to first step.

python -m bench.orchestrator [--quick] [--check]

Real processes: API, workers, simulated site, PostgreSQL. The machines' own delays are fixed, so that the wall time can
be held against what a site would take if nobody else used any time.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
import requests
from sqlalchemy import Connection, text

from bench import figures, gen_site, rows, servers
from bench.figures import Figures, Sample, table
from dev import postgres, processes
from dev.ports import LOOPBACK, free_port
from drydock.db import migrate
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.model.task import Lane

HEADERS = {"X-Auth-Token": "admin"}
#: Seconds that a machine needs by itself: power, installation, restart, boot action.
DELAYS = {"power": 0.2, "install": 2.0, "boot": 0.5, "action": 0.2}
IDEAL_SECONDS = DELAYS["power"] * 2 + DELAYS["install"] + DELAYS["boot"] * 2 + DELAYS["action"]
CLAIMS = 10_000
BATCH = 16

#: The generated site's own boot action is not one that a machine reports; this one is.
_REPORTING = """---
schema: drydock/BootAction/v1
metadata: {schema: metadata/Document/v1, name: report}
data:
  signaling: true
  assets:
    - path: /etc/systemd/system/report.service
      type: unit
      permissions: '644'
      data: "[Service]\\nExecStart=/opt/report.sh\\n[Install]\\nWantedBy=multi-user.target\\n"
      data_pipeline: [utf8_decode]
    - path: /opt/report.sh
      type: file
      permissions: '700'
      data: >-
        curl -H 'X-Bootaction-Key: {{ action.action_key }}' {{ action.report_url }}{{ action.action_id }}
      data_pipeline: [utf8_decode, template]
"""


@dataclass(frozen=True, slots=True)
class Site:
    api: str
    database_url: str
    workers: tuple[int, ...]
    postgres_pid: int


def main() -> None:
    options = figures.options(__doc__)
    found = Figures(check=options.check)
    sizes = (10, 100) if options.quick else (10, 100, 1_000, 10_000)
    cores = os.sched_getaffinity(0)
    with servers.workplace() as directory, postgres.start(directory / "postgres") as server:
        os.sched_setaffinity(0, cores)
        migrate.upgrade(server.url)
        _claims(server.url, found, turns=3 if options.quick else 7)
        rows.clear(server.url)
        with _site(directory, server) as site:
            _first_step(site, found, turns=20 if options.quick else 200)
            _deployments(site, found, sizes)
    found.finish()


def _claims(url: str, found: Figures, *, turns: int) -> None:
    """Claims of the engine beside the same statement, put together by hand and sent by the bare driver."""
    engine = connect(url, pool_size=2, max_overflow=0, application_name="bench")
    database = Database(engine)

    def ours() -> None:
        while True:
            with database.statements() as uow:
                claimed = uow.leases.claim("bench", {Lane.NODE: BATCH}, lease_seconds=300).get(Lane.NODE)
            if not claimed:
                return

    with psycopg2.connect(_libpq(url)) as bare:

        def floor() -> None:
            with bare.cursor() as cursor:
                while True:
                    cursor.execute(_BARE_CLAIM)
                    taken = cursor.fetchall()
                    bare.commit()
                    if not taken:
                        return

        seconds: dict[str, list[float]] = {"drydock": [], "bare SQL": []}
        for _ in range(turns):
            for name, work in (("bare SQL", floor), ("drydock", ours)):
                with engine.begin() as connection:
                    _due_rows(connection)
                started = time.perf_counter()
                work()
                seconds[name].append(CLAIMS / (time.perf_counter() - started))
    engine.dispose()
    samples = {name: Sample(tuple(values)) for name, values in seconds.items()}
    table(f"claims per second, {BATCH} at a time, {CLAIMS} due", ["", "claims/s"], list(samples.items()))
    found.add("claims_of_bare_sql", samples["drydock"].median / samples["bare SQL"].median, ">=", 0.5)


_BARE_CLAIM = f"""
WITH due AS (
    SELECT id FROM tasks WHERE lane = 'node' AND wake_at <= now() AND (lease_until IS NULL OR lease_until < now())
    ORDER BY wake_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED)
UPDATE tasks SET lease_owner = 'bench', lease_until = clock_timestamp() + interval '300 s',
    lease_epoch = lease_epoch + 1, wake_requested = false FROM due WHERE tasks.id = due.id RETURNING tasks.*
"""  # noqa: S608 - a constant


def _due_rows(connection: Connection) -> None:
    connection.execute(text("TRUNCATE tasks CASCADE"))
    connection.execute(
        text(
            "INSERT INTO tasks (id, root_id, action, node, design_ref, status, created_by, lane, wake_at) "
            "SELECT i, i, 'deploy_node', 'n' || g, 'ref', 'running', 'bench', 'node', now() "
            "FROM (SELECT gen_random_uuid() AS i, g FROM generate_series(1, :count) g) s"
        ),
        {"count": CLAIMS},
    )
    connection.execute(text("ANALYZE tasks"))


@contextmanager
def _site(directory: Path, server: postgres.EmbeddedPostgres) -> Iterator[Site]:
    """API, two workers and a simulated site, on one loopback."""
    api, simulator = free_port(), free_port()
    base = f"http://{LOOPBACK}:{api}/api/v1.0"
    environment = servers.environment(
        server.url,
        api,
        OS_SIMULATED__URL=f"http://{LOOPBACK}:{simulator}",
        OS_BOOTACTION__REPORT_URL=f"{base}/bootaction/",
        OS_BOOTACTION__BOOTDATA_URL=f"{base}/bootdata/",
        OS_ORCHESTRATOR__START_RATE="100000",
        OS_ORCHESTRATOR__DEPLOYMENT_PLACES="100000",
    )
    (directory / "machines").mkdir()
    delays = [word for name, value in DELAYS.items() for word in (f"--{name}-delay", f"{value}-{value}")]
    programs = Path(sys.executable).parent
    with processes.Processes(directory, environment) as children:
        children.start(
            "simulator",
            [programs / "drydock-simulator", "--port", str(simulator), "--directory", directory / "machines",
             "--rack-on-demand", *delays],
            ready=processes.http_ready(f"http://{LOOPBACK}:{simulator}/health"),
        )  # fmt: skip
        children.start("api", [programs / "drydock-api"], ready=processes.http_ready(f"{base}/health"))
        # NOTE: a task that is queued while the workers still import their modules waits for them, for a second or two.
        workers = tuple(
            children.start(
                f"worker-{n}",
                [programs / "drydock-worker"],
                ready=processes.line_ready(directory / f"worker-{n}.log", "worker ready"),
            ).pid
            for n in (1, 2)
        )
        yield Site(base, server.url, workers, server.pid)


def _create(site: Site, action: str, design_ref: str) -> str:
    answer = requests.post(
        f"{site.api}/tasks", json={"action": action, "design_ref": design_ref}, headers=HEADERS, timeout=30
    )
    answer.raise_for_status()
    return str(answer.json()["task_id"])


def _upload(site: Site, nodes: int) -> str:
    design = gen_site.site(nodes).replace(
        b"name: hosts-file}\ndata:\n", b"name: hosts-file}\ndata:\n  signaling: false\n"
    )
    answer = requests.post(
        f"{site.api}/designs",
        data=design + _REPORTING.encode(),
        headers={**HEADERS, "Content-Type": "application/x-yaml"},
        timeout=300,
    )
    answer.raise_for_status()
    return str(answer.json()["design_ref"])


def _wait(site: Site, task_id: str) -> Mapping[str, object]:
    while True:
        answer = requests.get(f"{site.api}/tasks/{task_id}?wait=30", headers=HEADERS, timeout=90)
        answer.raise_for_status()
        task: Mapping[str, object] = answer.json()
        if task["status"] in ("complete", "terminated"):
            return task


def _first_step(site: Site, found: Figures, *, turns: int) -> None:
    """From the row's creation to its first step, by the database's clock; the POST itself is before that."""
    ref = _upload(site, 1)
    waits = []
    with psycopg2.connect(_libpq(site.database_url)) as connection, connection.cursor() as cursor:
        for _ in range(turns):
            posted = time.perf_counter()
            task_id = _create(site, "validate_design", ref)
            answered = time.perf_counter() - posted
            _wait(site, task_id)
            cursor.execute(
                "SELECT extract(epoch FROM min(m.ts) - t.created) FROM tasks t "
                "JOIN task_messages m ON m.task_id = t.id WHERE t.id = %s GROUP BY t.created",
                (str(uuid.UUID(task_id)),),
            )
            (seconds,) = cursor.fetchone() or (0,)
            waits.append((answered + float(seconds)) * 1000)
            connection.commit()
    sample = Sample(tuple(waits))
    table("from POST to the end of the first step, idle, ms", ["median", "worst"], [[sample, f"{max(waits):.0f}"]])
    found.add("first_step_ms", sample.median, "<=", 200)
    found.add("first_step_worst_ms", max(waits), "<=", 200)


def _deployments(site: Site, found: Figures, sizes: tuple[int, ...]) -> None:
    found_rows = []
    for nodes in sizes:
        ref = _upload(site, nodes)
        workers, database = _cpu(site.workers), _cpu((site.postgres_pid,))
        started = time.perf_counter()
        task = _wait(site, _create(site, "deploy_nodes", ref))
        wall = time.perf_counter() - started
        result = task["result"]
        if not isinstance(result, dict) or len(result["successes"]) != nodes:
            raise SystemExit(f"the deployment of {nodes} nodes did not succeed: {result}")
        per_node = (_cpu(site.workers) - workers) * 1000 / nodes
        of_database = (_cpu((site.postgres_pid,)) - database) * 1000 / nodes
        memory = max(psutil.Process(pid).memory_info().rss for pid in site.workers) / 2**20
        found_rows.append(
            [nodes, f"{per_node:.1f}", f"{of_database:.1f}", f"{wall:.1f}", f"{IDEAL_SECONDS:.1f}", f"{memory:.0f}"]
        )
        if nodes >= 100:
            found.add(f"worker_cpu_ms_per_node_{nodes}", per_node, "<=", 10)
            found.add(f"worker_memory_mib_{nodes}", memory, "<=", 400)
    table(
        "deploy_nodes on two workers (everything shares two cores with the machines themselves)",
        ["nodes", "worker ms/node", "PostgreSQL ms/node", "wall s", "machines alone s", "worker MiB"],
        found_rows,
    )


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg2://", "postgresql://")


def _cpu(pids: tuple[int, ...]) -> float:
    """CPU seconds used so far by these processes, their children and those of them that have ended."""
    total = 0.0
    for pid in pids:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
        total += parent.cpu_times().children_user + parent.cpu_times().children_system
    return total


if __name__ == "__main__":
    main()
