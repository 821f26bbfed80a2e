"""Processes of two releases beside each other, while machines are on their way: nobody notices an upgrade."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dev.ports import free_port
from dev.processes import Child, http_ready, line_ready
from dev.stack import Stack
from drydock.db import migrate
from tests.e2e.design import site
from tests.e2e.test_deployment import wait_for_machines
from tests.upgrade import previous

#: Long enough for a process to be replaced before the first machine asks for its boot actions.
DELAYS = ("--install-delay", "4-6", "--action-delay", "0.2-0.4", "--seed", "3")
FIRST, SECOND, THIRD = (tuple(f"n{number}{of}" for of in "ab") for number in (1, 2, 3))

pytestmark = pytest.mark.e2e


class MixedStack(Stack):
    """Starts each program from the tree of the release that it is to be of; None is this one."""

    old: Path
    database: str

    def upgrade_schema(self) -> None:
        """As the release before would: it is what a site has before its upgrade."""
        migrate.upgrade(self.database, previous.revision(self.old))

    def start_api(self) -> None:
        self.run_api(self.old)

    def run_api(self, tree: Path | None) -> None:
        ready = http_ready(f"{self.url}/api/v1.0/health")
        self.processes.start("api", self._of(tree, "drydock.serve"), ready=ready)

    def run_worker(self, tree: Path | None) -> Child:
        ready = line_ready(self.logs / "worker.log", "worker ready")
        return self.processes.start("worker", self._of(tree, "drydock.worker"), ready=ready)

    def _of(self, tree: Path | None, module: str) -> list[str | Path]:
        path = [] if tree is None else ["env", f"PYTHONPATH={tree}"]
        # -P: not from the directory that the tests run in.
        return [*path, sys.executable, "-P", "-m", module, "--config-file", self.configuration]

    def begin(self, reference: str, action: str, nodes: Sequence[str]) -> str:
        chosen = [word for node in nodes for word in ("-n", node)]
        created = self.drydock("task", "create", "--action", action, "--design-ref", reference, *chosen, "-o", "json")
        return str(json.loads(created)["task_id"])

    def succeeds(self, task_id: str, nodes: Sequence[str]) -> None:
        result = json.loads(self.drydock("task", "watch", task_id, "-o", "json", "--timeout", "120"))["result"]
        assert (result["status"], sorted(result["successes"])) == ("success", list(nodes)), result


@pytest.mark.parametrize("version", previous.RELEASES)
@pytest.mark.parametrize("first", ["api", "worker"])
def test_an_upgrade_while_machines_are_on_their_way(
    first: str, version: str, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    if version == "0.1.0" and sys.version_info >= (3, 13):
        pytest.skip("version 0.1.0 does not start on Python 3.13")
    old, url = previous.unpacked(version), new_database()
    design = tmp_path / "site.yaml"
    nodes = (*FIRST, *SECOND, *THIRD)
    design.write_text(site(nodes))
    with MixedStack(
        tmp_path / "site", port=free_port(), machines=nodes, database_url=url, simulator_options=DELAYS
    ) as stack:
        stack.old, stack.database = old, url
        stack.start()
        stack.run_worker(old)
        replace = stack.run_api if first == "api" else stack.run_worker
        reference = stack.drydock("design", "upload", "--quiet", design).strip()
        stack.succeeds(stack.begin(reference, "prepare_nodes", nodes), nodes)

        task = stack.begin(reference, "deploy_nodes", FIRST)
        wait_for_machines(stack, lambda seen: all(seen[node]["state"] == "installing" for node in FIRST))
        # The schema first, then one of the two; what was made by the old one is used by the new one, and the reverse.
        migrate.upgrade(url)
        stack.processes.stop(first)
        replace(None)
        stack.succeeds(task, FIRST)
        stack.succeeds(stack.begin(reference, "deploy_nodes", SECOND), SECOND)

        task = stack.begin(reference, "deploy_nodes", THIRD)
        wait_for_machines(stack, lambda seen: all(seen[node]["state"] == "installing" for node in THIRD))
        # Back again: the old code works on the new schema.
        stack.processes.stop(first)
        replace(old)
        stack.succeeds(task, THIRD)
        errors = [
            line for log in stack.logs.glob("*.log") for line in log.read_text().splitlines() if "Traceback" in line
        ]
        assert errors == []
