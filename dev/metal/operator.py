"""The operator's hands: tasks by the ``drydock`` command, followed over HTTP, and a look at Ironic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests

from dev.metal.checks import CheckFailed, Checks
from dev.peers.ironic_server import IronicServer
from dev.stack import Stack

Json = Mapping[str, Any]
Found = TypeVar("Found")
ENDED = ("complete", "terminated")
#: Generous: emulation on a loaded machine.
TASK_SECONDS = 3600.0
PAUSE = 1.0


class Operator:
    def __init__(self, stack: Stack, ironic: IronicServer, checks: Checks) -> None:
        self._stack = stack
        self._ironic = ironic
        self._checks = checks
        self._shown: dict[str, tuple[str | None, str | None]] = {}
        self._kept: str | None = None
        self._http = requests.Session()
        self._http.trust_env = False

    def upload(self, design: str) -> str:
        """The reference of the stored design."""
        path = self._stack.directory / "design.yaml"
        path.write_text(design)
        return self._stack.drydock("design", "upload", "--quiet", path).strip()

    def create(self, action: str, reference: str, *nodes: str, force: bool = False) -> str:
        """The id of a new task; on all nodes of the design if none is named."""
        options = [word for node in nodes for word in ("--node-name", node)] + (["--force"] if force else [])
        options += [] if nodes else ["--all-nodes"]
        made = self._stack.drydock("task", "create", "-a", action, "-d", reference, *options, "-o", "json")
        task = str(json.loads(made)["task_id"])
        self._checks.say(f"task {action} {task}")
        return task

    def terminate(self, task: str) -> None:
        self._stack.drydock("task", "terminate", task)

    def facts(self, node: str) -> Json:
        found: Json = json.loads(self._stack.drydock("node", "facts", node, "-o", "json"))
        return found

    def build_data(self, node: str, generator: str) -> Json:
        """The newest that ``generator`` sent of the node. Raises ``CheckFailed`` if it sent none."""
        rows = self._get(f"nodes/{node}/builddata", {"latest": "true"}, seconds=60)
        found = next((row for row in rows if row["generator"] == generator), None)
        if found is None:
            raise CheckFailed(f"{node} has build data of {sorted(row['generator'] for row in rows)}")
        data: Json = json.loads(found["data_element"])
        return data

    def task(self, task: str, *, wait: int = 0) -> Json:
        """With its subtasks, by their nodes, as ``nodes``; ``wait``: seconds for something to change."""
        layers = self._get(f"tasks/{task}", {"layers": "-1", "wait": str(wait)}, seconds=wait + 60)
        found: dict[str, Any] = layers.pop(layers.pop("init_task_id"))
        found["nodes"] = {each["node"]: each for each in layers.values() if each.get("node")}
        for name, each in found["nodes"].items():
            self._show(name, each)
        return found

    def finished(self, task: str) -> Json:
        """The task when it has ended."""

        def look() -> Json | None:
            found = self.task(task, wait=20)
            return found if found["status"] in ENDED else None

        return self.until(look, f"the end of the task {task}")

    def until(self, look: Callable[[], Found | None], what: str, seconds: float = TASK_SECONDS) -> Found:
        """What ``look`` finds at last. Raises ``CheckFailed``."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = look()
            except requests.RequestException:  # a loaded server takes its time
                found = None
            if found:
                return found
            if time.monotonic() > deadline:
                raise CheckFailed(f"{what} did not come in {seconds:.0f} s")
            time.sleep(PAUSE)

    def node(self, name: str) -> Json:
        """As Ironic has it."""
        found: Json = self._of_ironic("GET", name).json()
        return found

    def maintain(self, name: str, reason: str) -> None:
        """Ironic leaves the machine alone, until ``maintain_no_more``."""
        self._of_ironic("PUT", f"{name}/maintenance", {"reason": reason})

    def maintain_no_more(self, name: str) -> None:
        self._of_ironic("DELETE", f"{name}/maintenance")

    def _of_ironic(self, method: str, path: str, body: Json | None = None) -> requests.Response:
        answer = self._http.request(
            method, f"{self._ironic.url}/v1/nodes/{path}", json=body, timeout=120,
            auth=(self._ironic.user, str(self._ironic.password)),
            headers={"X-OpenStack-Ironic-API-Version": "1.81"},
        )  # fmt: skip
        answer.raise_for_status()
        return answer

    def _get(self, path: str, params: Mapping[str, str], *, seconds: float) -> Any:
        answer = self._http.get(
            f"{self._stack.url}/api/v1.0/{path}",
            params=params,
            headers={"X-Auth-Token": self._token()},
            timeout=seconds,
        )
        answer.raise_for_status()
        return answer.json()

    def _token(self) -> str:
        if self._kept is None:
            self._kept = self._stack.token("admin")
        return self._kept

    def _show(self, name: str, task: Json) -> None:
        now = (task.get("step"), task.get("reason"))
        if task["status"] not in ENDED and self._shown.get(name) != now:
            self._shown[name] = now
            self._checks.say(f"{name} {now[0]}{f': {now[1]}' if now[1] else ''}"[:160])


def messages(task: Json) -> list[str]:
    """The texts of a task's result, with its status."""
    rows = task.get("result", {}).get("details", {}).get("messageList", [])
    return [str(row.get("message")) for row in rows]


def outcome(task: Json) -> str:
    return str(task.get("result", {}).get("status"))
