"""Nodes through a real standalone Ironic with the verbs of our driver: seconds, and requests for each node.

    python -m bench.ironic_nodes [--nodes 100 300] [--quick]

``fake-hardware``, whose steps take no time: what is measured is Ironic's API and conductor, and our use of them. The
verbs are repeated every 2 s with the nodes that are not done, 100 at a time, as the engine does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from dev.peers.ironic_server import IronicServer, ensure
from dev.peers.packages import Unavailable
from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic.connector import IronicConnector
from drydock.drivers.node.ironic.driver import NODES_OF_A_CALL, IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import Deployment, ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import Progress, ProgressState
from tests.factories.provisioning import deployment, node_plan

PAUSE = 2.0
LONGEST = 1800.0
USER_DATA = "#cloud-config\n" + "# a unit of ours\n" * 500
SETTINGS: Mapping[str, Mapping[str, object]] = {"conductor": {"workers_pool_size": 300}}

Ask = Callable[[Sequence[str]], Mapping[str, Progress]]
IMAGES = """\
jammy: {source: 'http://127.0.0.1/jammy', checksum: abc, kernels: [hwe-22.04], kernel_params: console=ttyS0}
"""


class Counted(IronicConnector):
    def __init__(self, settings: IronicSettings) -> None:
        super().__init__(settings)
        self.requests: Counter[str] = Counter()

    def request(
        self, method: str, path: Sequence[str], document: Any = None, parameters: Mapping[str, str] | None = None
    ) -> Any:
        self.requests[f"{method} {'/'.join((path[0], *path[2:]))}"] += 1
        return super().request(method, path, document, parameters)


def chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), NODES_OF_A_CALL):
        yield names[start : start + NODES_OF_A_CALL]


def until_done(names: Sequence[str], ask: Ask) -> tuple[float, int]:
    """Seconds, and how many failed."""
    begun, left, failed = time.monotonic(), list(names), 0
    while left and time.monotonic() - begun < LONGEST:
        answers: dict[str, Progress] = {}
        for chunk in chunks(left):
            answers |= ask(chunk)
        failed += sum(answer.state is ProgressState.FAILED for answer in answers.values())
        left = [name for name in left if answers[name].state is ProgressState.PENDING]
        if left:
            time.sleep(PAUSE)
    return time.monotonic() - begun, failed + len(left)


def life(provisioner: IronicProvisioner, nodes: Mapping[str, ProvisionedNode]) -> Mapping[str, tuple[float, int]]:
    names = list(nodes)
    wanted: Mapping[str, Deployment] = {name: deployment(node, str(uuid4()), USER_DATA) for name, node in nodes.items()}

    def installed(chunk: Sequence[str]) -> Mapping[str, Progress]:
        seen = provisioner.observe(chunk)
        states = {NodeState.DEPLOYED: ProgressState.SUCCEEDED, NodeState.FAILED: ProgressState.FAILED}
        return {name: Progress(states.get(one.state, ProgressState.PENDING), one.detail) for name, one in seen.items()}

    verbs: Mapping[str, Ask] = {
        "enroll": lambda chunk: provisioner.enroll([nodes[name] for name in chunk]),
        "configure": lambda chunk: provisioner.configure_hardware([nodes[name] for name in chunk]),
        "deploy": lambda chunk: provisioner.deploy([wanted[name] for name in chunk]),
        "installed": installed,
        "destroy": lambda chunk: provisioner.destroy(chunk),
    }
    return {verb: until_done(names, ask) for verb, ask in verbs.items()}


def measure(number: int) -> bool:
    with tempfile.TemporaryDirectory() as home, IronicServer(Path(home), settings=SETTINGS) as ironic:
        images = Path(home) / "images.yaml"
        images.write_text(IMAGES)
        settings = IronicSettings.from_options(
            {"endpoint_override": ironic.url, "images_file": str(images), "hardware_types": {"fake": "fake-hardware"}}
        )
        connector = Counted(settings)
        names = [f"n{count:03}" for count in range(number)]
        nodes = {
            name: node_plan(
                name,
                bmc=BmcAccess(name, "fake", "192.0.2.1"),
                boot_mac=f"02:00:00:00:{count // 256:02x}:{count % 256:02x}",
            )
            for count, name in enumerate(names)
        }
        found = life(IronicProvisioner(settings, connector), nodes)
    report(number, found, connector.requests)
    return not any(failed for _, failed in found.values())


def report(number: int, found: Mapping[str, tuple[float, int]], requests: Counter[str]) -> None:
    parts = ", ".join(f"{verb} {seconds:.1f} s" for verb, (seconds, _) in found.items())
    deployed = sum(seconds for verb, (seconds, _) in found.items() if verb != "destroy")
    failed = sum(failed for _, failed in found.values())
    print(f"{number} nodes: deployed after {deployed:.1f} s ({parts}); {failed} failed")
    reads = sum(count for what, count in requests.items() if what.startswith("GET"))
    total = sum(requests.values())
    print(f"  requests for each node {total / number:.2f}, of which reads {reads / number:.2f}")
    for what, count in requests.most_common():
        print(f"  {count:6} {what}")


def command(description: str | None, measure: Callable[[int], bool]) -> int:
    """The exit status: ``measure`` says of a number of nodes whether all of them succeeded."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--nodes", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--quick", action="store_true", help="20 nodes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    try:
        ensure()
    except Unavailable as error:
        print(f"skipped: Ironic cannot be installed: {error}")
        return 0
    return 0 if all(measure(number) for number in ([20] if arguments.quick else arguments.nodes)) else 1


if __name__ == "__main__":
    raise SystemExit(command(__doc__, measure))
