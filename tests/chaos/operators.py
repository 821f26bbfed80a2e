"""Operators with a site each: they deploy, change their minds, and wait until it is over."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests

from tests.chaos.api import Api, GaveUp
from tests.chaos.client_log import ClientLog
from tests.e2e.design import site

POLL_SECONDS = 0.4
CLOSED = ("complete", "terminated")


@dataclass(slots=True)
class Known:
    """The tasks that operators were told exist, for whoever wants to terminate one."""

    tasks: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open_tasks(self) -> list[str]:
        with self.lock:
            return [task for task in self.tasks if task not in self.closed]


@dataclass(frozen=True, slots=True)
class SitePlan:
    name: str
    nodes: tuple[str, ...]
    script: str
    seed: int


def plan_sites(rng: random.Random, seed: int, *, small: int, large: int) -> list[SitePlan]:
    """Some sites of two to four nodes, and one of ``large``. Names are unlike those of any other round."""
    sizes = [rng.randint(2, 4) for _ in range(small)] + [large]
    prefix = f"s{seed}"
    plans = []
    for number, size in enumerate(sizes):
        nodes = tuple(f"{prefix}-{number}-{node:02}" for node in range(size))
        script = rng.choice(sorted(SCRIPTS)) if size != large else rng.choice(("straight", "overlap", "keep"))
        plans.append(SitePlan(f"{prefix}-{number}", nodes, script, rng.randrange(2**32)))
    return plans


def upload(url: str, nodes: tuple[str, ...]) -> str:
    """Before chaos begins: the design's reference."""
    answer = requests.post(
        f"{url}/api/v1.0/designs", data=site(nodes).encode(), timeout=30,
        headers={"X-Auth-Token": "admin", "Content-Type": "application/x-yaml"},
    )  # fmt: skip
    answer.raise_for_status()
    return str(answer.json()["design_ref"])


class Operator:
    """One site's; run by a thread of its own."""

    def __init__(
        self, plan: SitePlan, design_ref: str, url: str, log: ClientLog, known: Known, give_up: threading.Event
    ) -> None:
        self._plan = plan
        self._design_ref = design_ref
        self._make_api = partial(Api, url, log, give_up)
        self._api = self._make_api()
        self._log = log
        self._known = known
        self._give_up = give_up
        self._rng = random.Random(plan.seed)  # noqa: S311 - to be replayed
        self._number = 0

    def run(self) -> None:
        try:
            SCRIPTS[self._plan.script](self)
        except GaveUp:
            self._log.write("gave_up", site=self._plan.name)

    def straight(self) -> None:
        self._prepare()
        self._wait(self._create("deploy_nodes"))
        self._wait(self._create("destroy_nodes"))

    def keep(self) -> None:
        self._prepare()
        failed = self._wait(self._create("deploy_nodes"))["result"]["failures"]
        if failed:
            self._wait(self._create("deploy_nodes", failed))

    def overlap(self) -> None:
        deploying = self._create("deploy_nodes")
        self._give_up.wait(self._rng.uniform(0, 4))
        destroying = self._create("destroy_nodes")
        self._wait(deploying)
        self._wait(destroying)

    def twice(self) -> None:
        first, second = self._create("deploy_nodes"), self._create("deploy_nodes")
        self._wait(first)
        self._wait(second)

    def ping_pong(self) -> None:
        asked = [self._create(action) for action in ("deploy_nodes", "destroy_nodes", "deploy_nodes", "destroy_nodes")]
        for task in asked:
            self._wait(task)

    def halves(self) -> None:
        half = list(self._plan.nodes[::2])
        self._wait(self._create("deploy_nodes", half))
        everything = self._create("deploy_nodes")
        self._wait(everything)
        self._wait(self._create("destroy_nodes", half))

    def _prepare(self) -> None:
        if self._rng.random() < 0.6:
            self._wait(self._create("prepare_nodes"))

    def _create(self, action: str, nodes: list[str] | None = None) -> str:
        """One task; now and then asked for by two at the same time, with the same key."""
        self._number += 1
        key = f"{self._plan.name}/{self._number}"
        node_filter = nodes and {
            "filter_set_type": "union",
            "filter_set": [{"filter_type": "union", "node_names": nodes}],
        }
        body = {"action": action, "design_ref": self._design_ref, "node_filter": node_filter, "all_nodes": True}
        times = 3 if self._rng.random() < 0.3 else 1
        with ThreadPoolExecutor(times) as pool:
            asked = [
                pool.submit(
                    self._make_api().persistent, "create", "POST", "/tasks", json=body, key=key, action=action,
                    nodes=nodes or list(self._plan.nodes), site=self._plan.name,
                )
                for _ in range(times)
            ]  # fmt: skip
            told = [one.result() for one in asked]
        task_id = str(told[0]["task_id"])
        with self._known.lock:
            self._known.tasks.append(task_id)
        return task_id

    def _wait(self, task_id: str) -> Mapping[str, Any]:
        while True:
            task: Mapping[str, Any] = self._api.look(f"/tasks/{task_id}")
            if task["status"] in CLOSED:
                result = task["result"]
                told = {name: result[name] for name in ("status", "successes", "failures")}
                self._log.write("ended", task_id=task_id, status=task["status"], result=told)
                with self._known.lock:
                    self._known.closed.add(task_id)
                return task
            if self._give_up.wait(POLL_SECONDS):
                raise GaveUp


SCRIPTS: Mapping[str, Callable[[Operator], None]] = {
    "straight": Operator.straight,
    "keep": Operator.keep,
    "overlap": Operator.overlap,
    "twice": Operator.twice,
    "ping_pong": Operator.ping_pong,
    "halves": Operator.halves,
}
