"""A site is deployed by real processes, and the worker is killed in the middle of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from dev.ports import free_port
from dev.stack import Stack
from drydock.simulator.user_data import read_boot_environment
from tests.e2e.design import SIGNALING, site

NODES = tuple(f"e2e{number:02}" for number in range(1, 7))
#: Slow enough that the kill finds some machines installed and others not.
DELAYS = ("--install-delay", "0.5-4", "--action-delay", "0.3-0.8", "--seed", "7")

Machines = dict[str, dict[str, Any]]

pytestmark = pytest.mark.e2e


@pytest.fixture
def stack(tmp_path: Path, new_database: Callable[[], str]) -> Iterator[Stack]:
    with Stack(
        tmp_path / "site", port=free_port(), machines=NODES, database_url=new_database(), simulator_options=DELAYS
    ) as stack:
        stack.start()
        yield stack


def machines(stack: Stack) -> Machines:
    answer = requests.get(f"{stack.simulator_url}/machines", timeout=10)
    answer.raise_for_status()
    return {machine["name"]: machine for machine in answer.json()}


def finals(machine: dict[str, Any]) -> list[dict[str, Any]]:
    """The final reports of a machine that Drydock acknowledged."""
    return [report for report in machine["reported"] if report["status"] and report["http_status"] == 200]


def wait_for_machines(stack: Stack, wanted: Callable[[Machines], bool], *, seconds: float = 60) -> Machines:
    """Machines are other processes' affair: all there is to do is to look at them."""
    give_up = time.monotonic() + seconds
    while not wanted(seen := machines(stack)):
        assert time.monotonic() < give_up, {name: (m["state"], m["detail"]) for name, m in seen.items()}
        time.sleep(0.1)
    return seen


def test_a_site_is_deployed_although_the_worker_is_killed(stack: Stack, tmp_path: Path) -> None:
    design = tmp_path / "site.yaml"
    design.write_text(site(NODES))
    reference = stack.drydock("design", "upload", "--quiet", design).strip()
    killed = stack.start_worker("worker-1")
    stack.drydock("task", "create", "--action", "prepare_nodes", "--design-ref", reference, "--wait")

    created = stack.drydock("task", "create", "--action", "deploy_nodes", "--design-ref", reference, "-o", "json")
    task_id = json.loads(created)["task_id"]
    wait_for_machines(stack, lambda seen: any(finals(machine) for machine in seen.values()))
    stack.processes.kill9("worker-1")
    assert not psutil.pid_exists(killed.pid)
    at_the_kill = machines(stack)
    assert any(len(finals(machine)) < len(SIGNALING) for machine in at_the_kill.values()), "the kill came too late"
    assert json.loads(stack.drydock("task", "show", task_id, "-o", "json"))["status"] == "running"
    # Machines that were told to install do not know that the worker is gone: they fetch, and report.
    wait_for_machines(stack, lambda seen: sum(len(finals(machine)) for machine in seen.values()) >= 4)

    stack.start_worker("worker-2")
    watched = stack.drydock("task", "watch", task_id, "-o", "json", "--timeout", "90")

    result = json.loads(watched)["result"]
    assert (result["status"], sorted(result["successes"]), result["failures"]) == ("success", list(NODES), [])
    deployed = machines(stack)
    check_each_machine_was_installed_once(deployed)
    check_every_acknowledged_report_is_there(stack, task_id, deployed)
    check_a_second_final_report_is_refused(deployed)
    check_bundles_are_still_the_same(stack, deployed)
    check_readers_may_look_and_not_act(stack, task_id)


def check_each_machine_was_installed_once(deployed: Machines) -> None:
    assert {name: machine["state"] for name, machine in deployed.items()} == dict.fromkeys(NODES, "running")
    for name, machine in deployed.items():
        kinds = [fetched["url"].rsplit("/", 1)[1] for fetched in machine["fetched"] if fetched["status"] == 200]
        assert sorted(kinds) == ["files", "units"], name
        assert len({report["action_id"] for report in finals(machine)}) == len(finals(machine)) == len(SIGNALING), name


def check_every_acknowledged_report_is_there(stack: Stack, task_id: str, deployed: Machines) -> None:
    listed = stack.drydock("task", "list", "--parent", task_id, "--limit", "100", "-o", "json")
    subtasks = {task["node"]: task for task in json.loads(listed)}
    assert sorted(subtasks) == list(NODES)
    for name, machine in deployed.items():
        stored = [
            (message["context"], message["message"])
            for message in subtasks[name]["result"]["details"]["messageList"]
            if message["context_type"] == "bootaction"
        ]
        for report in machine["reported"]:
            if report["http_status"] == 200:
                assert (report["action_id"], report["message"]) in stored, name


def check_a_second_final_report_is_refused(deployed: Machines) -> None:
    machine = deployed[NODES[0]]
    for report in finals(machine):
        answer = requests.post(
            report["url"], json={"status": "failure"}, headers={"X-Bootaction-Key": key_of(machine)}, timeout=10
        )
        assert (answer.status_code, answer.json()["type"]) == (409, "error")


def check_bundles_are_still_the_same(stack: Stack, deployed: Machines) -> None:
    for name, machine in deployed.items():
        for fetched in machine["fetched"]:
            answer = requests.get(fetched["url"], headers={"X-Bootaction-Key": key_of(machine)}, timeout=10)
            assert (answer.status_code, len(answer.content)) == (200, fetched["bytes"]), name
    other = {"X-Bootaction-Key": key_of(deployed[NODES[1]])}
    answer = requests.get(f"{stack.url}/api/v1.0/bootdata/{NODES[0]}/files", headers=other, timeout=10)
    assert answer.status_code == 403


def check_readers_may_look_and_not_act(stack: Stack, task_id: str) -> None:
    shown = json.loads(stack.drydock("task", "show", task_id, "-o", "json", user="reader"))
    token = stack.token("reader")
    assert shown["status"] == "complete"
    answer = requests.post(
        f"{stack.url}/api/v1.0/tasks",
        json={"action": "destroy_nodes", "design_ref": shown["design_ref"]},
        headers={"X-Auth-Token": token},
        timeout=10,
    )
    assert answer.status_code == 403


def key_of(machine: dict[str, Any]) -> str:
    return read_boot_environment(machine["user_data"]).key
