"""Machines' own programs that report what, when and as often as they please: twice, late, all at once.

They know what a machine knows: its key and its boot actions. Each report has a text that no other has.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from drydock.simulator.user_data import read_boot_environment
from tests.chaos.api import Answer, Api
from tests.chaos.client_log import ClientLog

REPORT = re.compile(r"https?://\S+/bootaction/([0-9A-HJKMNP-TV-Z]{26})")
#: Too much of it, and no machine would be the first to report.
SHARE_OF_NODES = 0.35


class Reporters:
    def __init__(self, seed: int, nodes: Sequence[str], machines: Path, urls: tuple[str, str], log: ClientLog) -> None:
        """``machines``: where they unpack. ``urls``: of the API and of the simulated site."""
        self._rng = random.Random(seed)  # noqa: S311 - to be replayed
        self._nodes = {node for node in nodes if self._rng.random() < SHARE_OF_NODES}
        self._machines = machines
        self._url, self._simulator_url = urls
        self._log = log
        self._done: set[str] = set()
        self._number = 0
        self._lock = threading.Lock()

    def run(self, until: threading.Event) -> None:
        with ThreadPoolExecutor(4) as pool:
            while not until.wait(self._rng.uniform(0.05, 0.3)):
                for machine in self._running():
                    for action in self._actions(machine["name"]):
                        if action not in self._done:
                            self._done.add(action)
                            self._bother(pool, machine, action)

    def _running(self) -> list[dict[str, Any]]:
        try:
            answer = requests.get(f"{self._simulator_url}/machines?fields=name,state,user_data", timeout=5)
            found: list[dict[str, Any]] = answer.json()
        except requests.RequestException:
            return []
        return [m for m in found if m["name"] in self._nodes and m["state"] in ("restarting", "running")]

    def _actions(self, node: str) -> list[str]:
        found = set()
        for script in (self._machines / node / "opt").glob("*.sh"):
            try:
                found.update(REPORT.findall(script.read_text()))
            except OSError:
                continue  # it was erased while we looked
        return sorted(found)

    def _bother(self, pool: ThreadPoolExecutor, machine: dict[str, Any], action: str) -> None:
        if not machine["user_data"]:
            return
        key = read_boot_environment(machine["user_data"]).key
        node = machine["name"]
        kind = self._rng.choice(("chatter", "race", "impatient", "late"))
        if kind == "chatter":
            list(pool.map(lambda _: self._report(node, action, key, None), range(3)))
        elif kind == "race":
            statuses = [self._rng.choice(("success", "success", "success", "failure")) for _ in range(4)]
            list(pool.map(lambda status: self._report(node, action, key, status), statuses))
        elif kind == "impatient":
            pool.submit(self._insist, node, action, key)
        else:
            # The final status overtakes the message that was to come before it.
            pool.submit(self._report, node, action, key, "success").result()
            pool.submit(self._report, node, action, key, None)

    def _insist(self, node: str, action: str, key: str) -> None:
        """The same final status, again and again, as a script without patience would."""
        for _ in range(3):
            self._report(node, action, key, "success")

    def _report(self, node: str, action: str, key: str, status: str | None) -> Answer:
        with self._lock:
            self._number += 1
            message = f"report {self._number} of {node} {action}"
        body: dict[str, Any] = {"details": [{"message": message, "error": False}]}
        if status is not None:
            body["status"] = status
        api = Api(self._url, self._log, threading.Event())
        answer = api.once("POST", f"/bootaction/{action}", json=body, headers={"X-Bootaction-Key": key})
        self._log.write("report", node=node, action=action, final=status, message=message, status=answer.status)
        return answer
