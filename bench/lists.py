"""What grows: a task with many subtasks, the list of all tasks. Linear in what is returned, or better."""

from __future__ import annotations

import http.client
import time
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert, text

from bench import rows, servers
from bench.figures import Figures, Sample, table
from bench.load import LoadFailed
from drydock.db.tables import tasks

#: Ten times as much may take this much longer: the rest is noise.
LINEAR = 12.0
#: And so much more memory: a list is streamed.
FLAT_MIB = 8.0

#: Milliseconds, by how many there were.
Times = dict[int, list[float]]

COPIES = text(
    """
    INSERT INTO tasks (id, root_id, parent_id, node, action, design_ref, status, created_by, lane)
    SELECT made.id, coalesce(cast(:parent AS uuid), made.id), cast(:parent AS uuid),
           CASE WHEN cast(:parent AS uuid) IS NULL THEN NULL ELSE 'node' || made.number END,
           'deploy_nodes', 'drydock://designs/none', 'complete', 'bench', 'task'
    FROM (SELECT gen_random_uuid() AS id, number FROM generate_series(1, :count) AS number) AS made
    """
)


def measure(found: Figures, directory: Path, url: str, *, quick: bool) -> None:
    few, many = (50, 500) if quick else (1000, 10_000)
    repeats = 3
    subtasks: Times = defaultdict(list)
    lists: Times = defaultdict(list)
    page: Times = defaultdict(list)
    peak: dict[int, float] = {}
    with servers.gunicorn(directory, servers.API, url) as server:
        # The small ones before and after the large one: the machine is not as fast at all times.
        for count in (few, many, few):
            subtasks[count] += _time(server, _parent(url, count), repeats)
        for count in (few * 10, many * 10, few * 10):
            path = _tasks(url, count)
            lists[count] += _time(server, path, repeats)
            page[count] += _time(server, path + "?limit=100", repeats)
            peak.setdefault(count, server.peak_mib())
    for title, measured in (
        ("GET tasks/{id} with so many subtasks", subtasks),
        ("GET tasks of so many", lists),
        ("GET tasks?limit=100 of so many", page),
    ):
        samples = {count: Sample(tuple(times)) for count, times in measured.items()}
        body = [[count, sample, f"{sample.median / count * 1e3:.1f}"] for count, sample in samples.items()]
        table(title, ["count", "ms", "µs each"], body)
    found.add(f"task_of_{many}_subtasks_over_{few}", _ratio(subtasks, many, few), "<=", LINEAR)
    found.add(f"list_of_{many * 10}_over_{few * 10}", _ratio(lists, many * 10, few * 10), "<=", LINEAR)
    found.add(f"list_of_{many * 10}_grows_mib", peak[many * 10] - peak[few * 10], "<=", FLAT_MIB)
    found.add(f"page_of_{many * 10}_over_{few * 10}", _ratio(page, many * 10, few * 10), "<=", 2.0)


def _ratio(measured: Times, large: int, small: int) -> float:
    return Sample(tuple(measured[large])).median / Sample(tuple(measured[small])).median


def _parent(url: str, count: int) -> str:
    rows.clear(url)
    root = uuid4()
    with rows.connected(url) as connection:
        connection.execute(insert(tasks), [rows.task_row(root, root, None, None)])
        connection.execute(COPIES, {"parent": str(root), "count": count})
    rows.analyze(url)
    return f"/api/v1.0/tasks/{root}"


def _tasks(url: str, count: int) -> str:
    rows.clear(url)
    with rows.connected(url) as connection:
        connection.execute(COPIES, {"parent": None, "count": count})
    rows.analyze(url)
    return "/api/v1.0/tasks"


def _time(server: servers.Server, path: str, repeats: int) -> list[float]:
    """Milliseconds until the whole answer was there."""
    connection = http.client.HTTPConnection(*server.address, timeout=300)
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        connection.request("GET", path, headers={"X-Auth-Token": "admin"})
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise LoadFailed(f"GET {path}: {reply.status}")
        times.append((time.perf_counter() - started) * 1e3)
    connection.close()
    return times[1:]
