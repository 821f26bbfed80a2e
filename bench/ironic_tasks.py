"""Nodes through Drydock and a real standalone Ironic: seconds from POST to deployed, and requests for each node.

    python -m bench.ironic_tasks [--nodes 100 300] [--quick]

All of it real, API, one worker, PostgreSQL, Keystone and Ironic, but for the machines: ``fake-hardware``, whose steps
take no time, and no boot action that reports. Requests are counted in Ironic's log.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil
import requests

from bench.ironic_nodes import SETTINGS, command
from dev import unprivileged
from dev.peers.ironic_server import IronicServer
from dev.ports import free_port
from dev.stack import Stack
from tests.factories.site import site

#: In Ironic's log.
REQUEST = re.compile(r" - (GET|POST|PUT|PATCH|DELETE) /v1/(\S+) - (\d{3}) ")
ACTIONS = ("prepare_nodes", "deploy_nodes", "destroy_nodes")
SECONDS = 3600
IMAGES = "jammy: {source: 'http://127.0.0.1/jammy', checksum: abc, kernels: [ga-22.04]}"


def measure(number: int) -> bool:
    with (
        unprivileged.temporary_directory("drydock-bench-") as home,
        tempfile.TemporaryDirectory() as files,
        IronicServer(Path(files), settings=SETTINGS) as ironic,
    ):
        settings = options(Path(files), ironic.url)
        with Stack(home / "site", port=free_port(), machines=None, settings=settings) as stack:
            stack.start()
            used = {"Ironic": psutil.Process(ironic.pid), "worker": psutil.Process(stack.start_worker().pid)}
            design = Path(files) / "site.yaml"
            design.write_bytes(site([f"n{count:03}" for count in range(number)], boot_actions=""))
            reference = stack.drydock("design", "upload", "--quiet", design).strip()
            return all(run(stack, action, reference, number, ironic.log, used) for action in ACTIONS)


def options(directory: Path, url: str) -> Mapping[str, Mapping[str, str]]:
    images = directory / "images.yaml"
    images.write_text(IMAGES)
    ironic = {"endpoint_override": url, "images_file": str(images), "hardware_types": "redfish:fake-hardware"}
    return {
        "drivers": {"oob": "redfish", "node": "ironic"},
        "ironic": ironic,
        "orchestrator": {"poll_interval": "5", "lease_seconds": "30", "observe_interval": "5"},
    }


def run(stack: Stack, action: str, reference: str, number: int, log: Path, used: Mapping[str, psutil.Process]) -> bool:
    """Prints what one action took of all nodes; whether it was a success."""
    before, offset, begun = {name: cpu(one) for name, one in used.items()}, log.stat().st_size, time.monotonic()
    made = stack.drydock("task", "create", "-a", action, "-d", reference, "--all-nodes", "-o", "json")
    status = outcome(stack, json.loads(made)["task_id"])
    seconds = time.monotonic() - begun
    spent = ", ".join(f"{name} {cpu(one) - before[name]:.0f} s" for name, one in used.items())
    print(f"{number} nodes: {action} {status} after {seconds:.1f} s (CPU: {spent})")
    counts = requests_in(log, offset)
    print(f"  requests for each node {counts.total() / number:.2f}")
    for what, count in counts.most_common():
        print(f"  {count:6} {what}", flush=True)
    return status == "success"


def outcome(stack: Stack, task: str) -> str:
    give_up = time.monotonic() + SECONDS
    with requests.Session() as http:
        http.trust_env = False
        http.headers["X-Auth-Token"] = stack.token("admin")
        while time.monotonic() < give_up:
            row = http.get(f"{stack.url}/api/v1.0/tasks/{task}", params={"wait": "20"}, timeout=60).json()
            if row["status"] in ("complete", "terminated"):
                return str(row["result"]["status"])
    return "not done"


def requests_in(log: Path, offset: int) -> Counter[str]:
    """By method and kind of path, those that failed by their status too."""
    with log.open() as file:
        file.seek(offset)
        found: Counter[str] = Counter()
        for method, path, status in REQUEST.findall(file.read()):
            kind, *rest = path.partition("?")[0].strip("/").split("/")
            failed = f" ({status})" if int(status) >= 400 else ""
            found[f"{method} {'/'.join((kind, *rest[1:]))}{failed}"] += 1
    return found


def cpu(process: psutil.Process) -> float:
    """Its seconds and those of its children: Ironic's work is done by one."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    raise SystemExit(command(__doc__, measure))
