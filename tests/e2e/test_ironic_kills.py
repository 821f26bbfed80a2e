"""Nodes' lives in a real Ironic, while workers are killed in each step and each request."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import requests

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer
from dev.ports import free_port
from dev.stack import Stack
from drydock.model.actions import Action
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.simulator.user_data import read_boot_environment
from tests.drivers.ironic_peer import IMAGES, Operator, running
from tests.e2e.killing import Gate, IronicRelay, Workers, requests_by_node
from tests.factories.site import site
from tests.http_peer import serving

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
NODES = ("k01", "k02", "k03")
LIFE = {
    Action.PREPARE_NODES: Action.PREPARE_NODE,
    Action.DEPLOY_NODES: Action.DEPLOY_NODE,
    Action.DESTROY_NODES: Action.DESTROY_NODE,
}
#: By action: the node whose request is cut, and the request. The first node loses a worker at the end of each step too,
#: and a step that loses three in a row fails.
CUTS = {
    Action.PREPARE_NODES: (
        ("k01", "POST nodes"), ("k02", "POST ports"), ("k02", "PUT traits"), ("k03", "PUT provision manage"),
        ("k01", "PUT provision inspect"), ("k02", "PUT provision provide"),
    ),
    Action.DEPLOY_NODES: (("k01", "PATCH node"), ("k02", "PUT provision active")),
    Action.DESTROY_NODES: (("k01", "PUT provision deleted"),),
}  # fmt: skip
#: Everywhere takes more than twice as long: make kill-test.
EVERYWHERE = os.environ.get("DRYDOCK_TEST_KILLS") == "all"
KILLED = tuple(LIFE) if EVERYWHERE else (Action.DEPLOY_NODES,)
SECONDS = 180.0


@pytest.fixture
def ironic(tmp_path: Path) -> Iterator[IronicServer]:
    with running(tmp_path / "ironic") as server:
        yield server


class Site:
    def __init__(self, stack: Stack, workers: Workers, relay: IronicRelay, operator: Operator) -> None:
        self._stack, self._workers, self._relay, self._operator = stack, workers, relay, operator
        self._http = requests.Session()
        self._http.trust_env = False
        self._token = stack.token("admin")
        self.reported: Counter[str] = Counter()

    def run(self, action: Action, reference: str, node: str) -> None:
        """The action on a node alone, so that no other loses its worker too; to its end, which is a success."""
        made = self._stack.drydock("task", "create", "-a", action, "-d", reference, "--node-name", node, "-o", "json")
        url = f"{self._stack.url}/api/v1.0/tasks/{json.loads(made)['task_id']}"
        give_up, look = time.monotonic() + SECONDS, 0.0
        while True:
            assert time.monotonic() < give_up, self._workers.killed
            if self._workers.kill_at_a_step() or self._workers.kill_in_a_request(self._relay, seconds=0.05):
                continue
            if time.monotonic() < look:
                continue
            look = time.monotonic() + 0.5
            answer = self._http.get(url, params={"layers": "-1"}, headers={"X-Auth-Token": self._token}, timeout=30)
            tasks = answer.json()
            task = tasks.pop(tasks.pop("init_task_id"))
            if task["status"] == "complete":
                assert task["result"]["status"] == "success", [each["result"] for each in tasks.values()]
                return
            for each in tasks.values():
                if each["step"] == "await_boot_actions" and not self.reported[each["node"]]:
                    self._report(each["node"])
                    self.reported[each["node"]] += 1

    def _report(self, node: str) -> None:
        """As the machine would: by the key of the config drive that Ironic has, with the id of its boot action."""
        boot = read_boot_environment(self._operator.config_drive(node)["user_data"])
        key = {"X-Bootaction-Key": boot.key}
        files = self._http.get(f"{boot.bootdata_url}/files", headers=key, timeout=30)
        assert files.status_code == 200, (node, files.text)
        with tarfile.open(fileobj=io.BytesIO(files.content)) as bundle:
            greeting = bundle.extractfile("/etc/greeting")
            assert greeting is not None
            identity = greeting.read().decode().split()[1]
        answer = self._http.post(f"{boot.report_url}/{identity}", json={"status": "success"}, headers=key, timeout=30)
        assert answer.status_code == 200, (node, answer.text)


def test_killed_in_each_step_and_each_request(
    ironic: IronicServer, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    relay = IronicRelay(ironic.url, [cut for action in KILLED for cut in CUTS[action]])
    nodes = NODES if EVERYWHERE else NODES[:2]
    database_url = new_database()
    operator = Operator(ironic, tmp_path / "ironic")
    with serving(relay.answer) as peer:
        settings = options(tmp_path, peer.url())
        stack = Stack(tmp_path / "site", port=free_port(), machines=None, database_url=database_url, settings=settings)
        with stack:
            stack.start()
            reference = uploaded(stack, tmp_path / "site.yaml")
            with Gate(database_url, [one for action in KILLED for one in (action, LIFE[action])]) as gate:
                workers = Workers(stack, gate)
                for _ in range(2):
                    workers.start()
                life = Site(stack, workers, relay, operator)
                for action in LIFE:
                    for node in nodes:
                        life.run(action, reference, node)
    killed = (f"{len(workers.killed)} workers were killed with -9:", *workers.killed)
    sys.stdout.write("\n" + "\n  ".join(killed) + "\n")
    check_each_step_lost_a_worker(workers, relay)
    check_one_node_and_one_deployment_each(operator, relay, nodes)


def options(directory: Path, ironic_url: str) -> Mapping[str, Mapping[str, str]]:
    images = directory / "images.yaml"
    images.write_text(IMAGES.replace("hwe-22.04", "ga-22.04"))
    return {
        "drivers": {"oob": "redfish", "node": "ironic"},
        "ironic": {
            "endpoint_override": ironic_url, "images_file": str(images), "hardware_types": "redfish:fake-hardware",
        },
        # A lease outlasts the test: it ends when its worker was killed, and never since a worker was slow.
        "orchestrator": {"poll_interval": "0.2", "observe_interval": "1", "lease_seconds": "600"},
    }  # fmt: skip


def uploaded(stack: Stack, design: Path) -> str:
    design.write_bytes(site(NODES))
    return stack.drydock("design", "upload", "--quiet", design).strip()


def check_each_step_lost_a_worker(workers: Workers, relay: IronicRelay) -> None:
    steps = {
        f"{one}/{step.name}" for action in KILLED for one in (action, LIFE[action]) for step in WORKFLOWS[one].steps
    }
    in_steps = {moment.partition(",")[0] for moment in workers.killed if "outcome" in moment}
    assert in_steps == steps
    assert relay.left == frozenset()
    assert len(workers.killed) == len(steps) + sum(len(CUTS[action]) for action in KILLED)


def check_one_node_and_one_deployment_each(operator: Operator, relay: IronicRelay, nodes: Sequence[str]) -> None:
    accepted = requests_by_node(relay.accepted)
    for name in nodes:
        assert len(operator.named(name)) == 1
        node = operator.node(name)
        assert (node["provision_state"], node["instance_uuid"]) == ("available", None)
        for target in ("manage", "inspect", "provide", "active", "deleted"):
            assert accepted[name].count(f"PUT provision {target}") == 1, (name, target, accepted[name])
        events = operator.connector.get("nodes", name, "history", detail="true")["history"]
        assert [event["event_type"] for event in events].count("deployment_start") == 1
