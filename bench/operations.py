"""What operators and machines ask besides tarballs, against a Falcon application that executes the SQL of the answer.

    python -m bench.operations [--quick] [--check]

``task_get``: GET tasks/{id} of a task without subtasks, of one with 100 of them, and of a node's. ``task_post``: POST
tasks. ``report``: POST bootaction, a final one with one detail. Turns alternate between the two servers; a figure is
the median of the ratios of neighbouring turns.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert

from bench import figures, rows, servers
from bench.figures import Figures, Sample, table
from bench.load import Load, LoadFailed, request
from drydock.db.messages import MessageRepository
from drydock.db.tables import tasks
from drydock.model.message import NewMessage

CONNECTIONS = (1, 8, 64)
SUBTASKS = 100
#: Of each node's boot actions, neighbours in a turn are of different nodes.
ACTIONS = 10
#: No machine that this runs on keeps so many reports.
MOST_PER_SECOND = 4000
TASK_GET, TASK_POST, REPORT = 0.6, 0.7, 0.7
FLOOR = "bench.floors:operations()"

Scripts = Iterator[list[bytes]]
#: Requests per second: ours and the floor's.
Pairs = list[tuple[float, float]]


def main() -> None:
    options = figures.options(__doc__)
    found = Figures(check=options.check)
    with servers.workplace() as directory, servers.database(directory) as url:
        measure(found, directory, url, quick=options.quick)
    found.finish()


def measure(found: Figures, directory: Path, url: str, *, quick: bool) -> None:
    with ExitStack() as stack:
        ours, floor = (
            stack.enter_context(servers.gunicorn(directory, application, url)) for application in (servers.API, FLOOR)
        )
        bench = _Bench(ours, floor, url, *((3, 0.25) if quick else (11, 0.5)))
        for name, scripts, target in itertools.chain(bench.reading(), bench.writing()):
            pairs = {number: bench.compare(scripts, number) for number in CONNECTIONS}
            _show(name, pairs)
            for number, measured in pairs.items():
                ratio = Sample(tuple(mine / bare for mine, bare in measured)).median
                found.add(f"{name}_over_falcon_{number}_connections", ratio, ">=", target)


class _Bench:
    """``reading`` and ``writing``: by name, what makes the requests of a turn, and the target."""

    def __init__(self, ours: servers.Server, floor: servers.Server, url: str, rounds: int, seconds: float) -> None:
        self._servers = (ours, floor)
        self._url = url
        self._rounds = rounds
        self._seconds = seconds
        self._nodes = 0

    def compare(self, scripts: Callable[[], Scripts], connections: int) -> Pairs:
        pairs: Pairs = []
        for _ in range(self._rounds + 1):
            mine, bare = (self._rate(server, scripts(), connections) for server in self._servers)
            pairs.append((mine, bare))
        return pairs[1:]

    def _rate(self, server: servers.Server, scripts: Scripts, connections: int) -> float:
        result = Load(server.address, scripts, connections=connections, keep_alive=True).run(seconds=self._seconds)
        if not set(result.answers) <= {200, 201} or result.lost:
            raise LoadFailed(f"{dict(result.answers)}, {result.lost} connections lost")
        return result.rate

    def reading(self) -> Iterator[tuple[str, Callable[[], Scripts], float]]:
        rows.clear(self._url)
        (booting,) = rows.site(self._url, 1, 16)
        of_node = booting.task_id
        alone, parent = uuid4(), uuid4()
        with rows.connected(self._url) as connection:
            connection.execute(insert(tasks), [rows.task_row(each, each, None, None) for each in (alone, parent)])
            below = [rows.task_row(uuid4(), parent, parent, rows.node_name(n)) for n in range(SUBTASKS)]
            connection.execute(insert(tasks), below)
            shown = itertools.product((alone, parent, of_node), ("design pinned", "nodes chosen"))
            MessageRepository(connection).add([NewMessage(task_id, text) for task_id, text in shown])
        rows.analyze(self._url)
        for name, task_id in (("0_subtasks", alone), (f"{SUBTASKS}_subtasks", parent), ("of_node", of_node)):
            yield f"task_get_{name}", _shown(task_id), TASK_GET

    def writing(self) -> Iterator[tuple[str, Callable[[], Scripts], float]]:
        yield "task_post", _added, TASK_POST
        rows.clear(self._url)
        yield "report", self._reported, REPORT

    def _reported(self) -> Scripts:
        """Boot actions without a final status, more than a turn can use up."""
        nodes = int(MOST_PER_SECOND * self._seconds / ACTIONS) + 1
        site = rows.site(self._url, nodes, 16, actions=ACTIONS, first=self._nodes)
        self._nodes += nodes
        rows.analyze(self._url)
        body = json.dumps({"status": "success", "details": [{"message": "done", "error": False}]}).encode()
        return ([_report(one, number, body)] for number, one in itertools.product(range(ACTIONS), site))


def _report(of: rows.Booting, number: int, body: bytes) -> bytes:
    path = f"/api/v1.0/bootaction/{of.actions[number]}"
    return request("POST", path, headers={"X-Bootaction-Key": of.key}, body=body, keep_alive=True)


def _shown(task_id: UUID) -> Callable[[], Scripts]:
    asked = request("GET", f"/api/v1.0/tasks/{task_id}", headers={"X-Auth-Token": "admin"}, keep_alive=True)
    return lambda: itertools.repeat([asked])


def _added() -> Scripts:
    body = json.dumps({"action": "deploy_nodes", "design_ref": "drydock://designs/none"}).encode()
    headers = {"X-Auth-Token": "admin"}
    return itertools.repeat([request("POST", "/api/v1.0/tasks", headers=headers, body=body, keep_alive=True)])


def _show(name: str, measured: dict[int, Pairs]) -> None:
    body = [
        [
            number,
            Sample(tuple(mine for mine, _ in pairs)),
            Sample(tuple(bare for _, bare in pairs)),
            f"{Sample(tuple(mine / bare for mine, bare in pairs)).median:.2f}",
        ]
        for number, pairs in measured.items()
    ]
    table(f"{name}: requests per second", ["connections", "drydock/s", "floor/s", "ratio"], body)


if __name__ == "__main__":
    main()
