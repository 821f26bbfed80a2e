"""Operators with a site each: they deploy, change their minds, and wait until it is over."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
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
        script = (
            rng.choice(sorted(SCRIPTS)) if size != large else rng.choice(("straight", "overlap", "keep", "planned"))
        )
        plans.append(SitePlan(f"{prefix}-{number}", nodes, script, rng.randrange(2**32)))
    return plans


def upload(url: str, nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Before chaos begins: the references of the design, and of one with another kernel parameter for each node."""
    first = site(nodes)
    second = first.replace("kernel: ga-22.04", "kernel: ga-22.04, kernel_params: {quiet: 'true'}")
    assert second != first
    return tuple(_uploaded(url, design) for design in (first, second))


def _uploaded(url: str, design: str) -> str:
    answer = requests.post(
        f"{url}/api/v1.0/designs", data=design.encode(), timeout=30,
        headers={"X-Auth-Token": "admin", "Content-Type": "application/x-yaml"},
    )  # fmt: skip
    answer.raise_for_status()
    return str(answer.json()["design_ref"])


class Operator:
    """One site's; run by a thread of its own."""

    def __init__(
        self,
        plan: SitePlan,
        design_refs: Sequence[str],
        url: str,
        log: ClientLog,
        known: Known,
        give_up: threading.Event,
    ) -> None:
        self._plan = plan
        self._design_refs = design_refs
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

    def planned(self) -> None:
        """One design after the other, until a plan has nothing to do, or for three plans at most."""
        for design_ref in self._design_refs:
            for _ in range(3):
                if self._follow_a_plan(design_ref):
                    break

    def _follow_a_plan(self, design_ref: str) -> bool:
        """Whether there is nothing left to do."""
        body = {"design_ref": design_ref, "node_filter": _only(self._plan.nodes)}
        plan = self._api.persistent("plan", "POST", "/plans", json=body, site=self._plan.name)
        if not any(count for decision, count in plan["counts"].items() if decision != "keep"):
            return True
        task_id = self._ask({"action": "apply_plan", "plan": plan["plan_id"], "all_nodes": True}, self._plan.nodes)
        # Else something that the plan rests on had changed: the next one knows.
        if task_id is not None:
            self._wait(task_id)
        return False

    def _prepare(self) -> None:
        if self._rng.random() < 0.6:
            self._wait(self._create("prepare_nodes"))

    def _create(self, action: str, nodes: list[str] | None = None) -> str:
        body: dict[str, Any] = {"action": action, "design_ref": self._design_refs[0], "all_nodes": True}
        if nodes:
            body["node_filter"] = _only(nodes)
        task_id = self._ask(body, nodes or self._plan.nodes)
        assert task_id is not None
        return task_id

    def _rollout(self) -> dict[str, Any]:
        waves = self._rng.choice(([1, "100%"], [1, "30%", "60%"], ["50%"], [2, 3, 4]))
        return {
            "waves": waves,
            "max_failed": self._rng.choice((None, 1, 2, "30%")),
            "pause": self._rng.choice(("never", "never", "after_first", "after_each")),
        }

    def _ask(self, body: dict[str, Any], nodes: Sequence[str]) -> str | None:
        """One task; now and then asked for by several at the same time, with the same key; half of them in waves. None
        if it is refused.
        """
        self._number += 1
        key = f"{self._plan.name}/{self._number}"
        if self._rng.random() < 0.5:
            body["rollout"] = self._rollout()
        times = 3 if self._rng.random() < 0.3 else 1
        with ThreadPoolExecutor(times) as pool:
            asked = [
                pool.submit(
                    self._make_api().persistent, "create", "POST", "/tasks", json=body, key=key, action=body["action"],
                    nodes=list(nodes), site=self._plan.name,
                )
                for _ in range(times)
            ]  # fmt: skip
            told = [one.result() for one in asked]
        if "task_id" not in told[0]:
            return None
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
            if task["paused_by"] is not None and self._rng.random() < 0.5:
                self._api.persistent("resume", "POST", f"/tasks/{task_id}/resume", asked=task_id)
            if self._give_up.wait(POLL_SECONDS):
                raise GaveUp


def _only(nodes: Sequence[str]) -> dict[str, Any]:
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": list(nodes)}]}


SCRIPTS: Mapping[str, Callable[[Operator], None]] = {
    "straight": Operator.straight,
    "keep": Operator.keep,
    "overlap": Operator.overlap,
    "twice": Operator.twice,
    "ping_pong": Operator.ping_pong,
    "halves": Operator.halves,
    "planned": Operator.planned,
}
