"""What a plan costs: every node of a site that is deployed, planned for a design that changes a sixth of them.

    python -m bench.plan [--quick] [--check]

PostgreSQL is real; the provisioner answers from memory. Each size is a process of its own, so that its peak of memory
is its own. Figures count processor time of the service; what PostgreSQL adds shows in the table, on a machine at rest.
`drydock design diff` is measured beside the compilation of its two designs.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from bench import servers
from bench.design import timed
from bench.figures import Figures, options, table
from bench.gen_site import site
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.design.compiler import CompiledDesign, compile_design
from drydock.design.loader import DesignLoader
from drydock.drivers.node.base import NodeState, Observation
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.hardware_check import HardwareCheck
from drydock.model.rollout import PLAIN
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.images import ImageCatalogue
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.services.plan_facts import FactsReader
from drydock.orchestrator.services.plans import PlanService
from drydock.plan.design_difference import design_difference
from drydock.plan.fingerprint import fingerprints
from drydock.references.references import References

SIZES = (1_000, 10_000)
MEBIBYTE = 1024 * 1024
#: In the owner data of a sixth of the nodes.
OLD, NEW = b"zone: z1", b"zone: z9"


DEPLOYMENT = UUID(int=1)


class Deployed:
    """A provisioner that knows all nodes as deployed."""

    name = "memory"

    def __init__(self, deployment_id: UUID) -> None:
        self._id = str(deployment_id)

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        return {node: Observation(node, NodeState.DEPLOYED, self._id) for node in nodes}

    def list_images(self) -> None:
        return None


def main() -> None:
    chosen = options(__doc__)
    figures = Figures(check=chosen.check)
    with servers.workplace() as directory, servers.database(directory) as url:
        rows = []
        for size in SIZES:
            in_process("seed", url, size)
            rows.append(in_process("plan", url, size))
        rows_diff = in_process("diff", url, SIZES[0])
    head = ("nodes", "plan CPU s", "with PostgreSQL s", "compiling CPU s", "MiB", "redeploy")
    cells = [
        [f"{row[name]:.0f}" if name in ("nodes", "redeploy") else f"{row[name]:.2f}" for name in _COLUMNS]
        for row in rows
    ]
    table("Plans", head, cells)
    largest = rows[-1]
    figures.add("plan_seconds_10000", largest["seconds"], "<=", 10)
    figures.add("plan_peak_mebibytes_10000", largest["memory"], "<=", 500)
    # Ten times the nodes cost no more each; half as much again for caches that overflow.
    figures.add("plan_per_node_10000_over_1000", largest["seconds"] / 10 / rows[0]["seconds"], "<=", 1.5)
    figures.add("design_diff_over_compiling_both_1000", rows_diff["ratio"], "<=", 1.5)
    figures.finish()


_COLUMNS = ("nodes", "seconds", "waited", "compiling", "memory", "redeploy")


def in_process(kind: str, url: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.plan", "--measure", kind, url, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(kind: str, url: str, size: int) -> dict[str, float]:
    old = site(size)
    new = old.replace(OLD, NEW)
    if kind == "diff":
        (before, after), compiling = timed(lambda: (compile_design(old), compile_design(new)))
        found, comparing = timed(lambda: design_difference(before.site, after.site))
        assert sum(len(group.nodes) for group in found.groups) > size / 10
        return {"ratio": (compiling + comparing) / compiling}
    database = Database(connect(url, pool_size=2, max_overflow=0, application_name="bench"))
    if kind == "seed":
        seed(database, compile_design(old))
        return {}
    return planned(database, new, size)


def planned(database: Database, new: bytes, size: int) -> dict[str, float]:
    provisioner: Any = Deployed(DEPLOYMENT)

    def read(digest: str) -> bytes:
        with database.unit_of_work() as uow:
            return uow.designs.content(digest)

    references = References(
        allowed_schemes=["drydock"],
        allowed_hosts=[],
        file_roots=[],
        max_bytes=64 * MEBIBYTE,
        connect_timeout=1,
        read_timeout=1,
        read_snapshot=read,
        ca_file=None,
        allowed_addresses=["*"],
        tokens=None,
        retries=None,
        cache=None,
    )
    images = ImageCatalogue(provisioner, seconds=60, patience=10)
    designs = DesignService(database, DesignLoader(references, cache_size=1), images)
    stored = designs.store(new, created_by="bench")
    (_, compiling) = timed(lambda: compile_design(new))
    facts = FactsReader(database, designs, provisioner, finders=("memory",), hardware_check=HardwareCheck.WARN)
    service = PlanService(database, designs, NodeSections([servers.SECRET]), facts, slots=100, rollout=PLAIN)
    began, clock = time.process_time(), time.monotonic()
    plan = service.create(stored.ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="bench")
    seconds, waited = time.process_time() - began, time.monotonic() - clock
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE
    assert sum(plan.counts.values()) == size
    assert plan.counts["keep"] + plan.counts["redeploy"] == size
    return {
        "nodes": size,
        "seconds": seconds,
        "waited": waited,
        "compiling": compiling,
        "memory": memory,
        "redeploy": plan.counts["redeploy"],
    }


def seed(database: Database, design: CompiledDesign) -> None:
    """Every node as deployed with this design, in parts, as workers write them."""
    sections = NodeSections([servers.SECRET])
    for part in _parts(list(design.site.nodes), 1000):
        found = []
        for node in part:
            made = sections.of_node(design, node)
            found.append(
                NewDeployedNode(node, uuid4(), DEPLOYMENT, design.digest, "jammy", made, fingerprints(made), "bench")
            )
        with database.unit_of_work() as uow:
            uow.deployed_nodes.record(found)
            uow.commit()


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        main()
