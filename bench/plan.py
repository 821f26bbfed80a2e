"""What a plan costs: every node of a site that is deployed, planned for a design that changes a sixth of them.

    python -m bench.plan [--quick] [--check]

PostgreSQL is real; the provisioner answers from memory. Each size is a process of its own, so that its peak of memory
is its own. Figures count processor time of the service and its renderer; what PostgreSQL adds shows in the table, on a
machine at rest. Every node has a template of its own, one behind a reference, and a file behind one; "all rendered" is
a plan after the template behind the reference has changed, of 10,000 nodes not with --quick. `drydock design diff` is
measured beside the compilation of its two designs.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench import servers
from bench.design import timed
from bench.figures import Figures, options, table
from bench.gen_site import site
from drydock.bootaction.content_record import CONTENTS, Sealer, inputs_of
from drydock.bootaction.contents import SiteContents
from drydock.bootaction.fetching import FetchedSources
from drydock.bootaction.template_limits import TemplateLimits
from drydock.bootaction.template_pool import TemplatePool
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
from drydock.orchestrator.services.plan_contents import ContentSettings, PlanContents
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
LIMITS = TemplateLimits(max_seconds=10, max_bytes=16 * MEBIBYTE)
#: A template behind a reference.
NOTICE = "{{ node.hostname }} is one of ours: {{ node.labels | tojson }}"
_REFERENCES = """---
schema: drydock/BootAction/v1
metadata: {{schema: metadata/Document/v1, name: references}}
data:
  assets:
    - path: /etc/notice
      type: file
      location: file://{directory}/notice
      data_pipeline: [utf8_decode, template]
    - path: /opt/tool
      type: file
      location: file://{directory}/tool
"""


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
            write_references(directory, NOTICE)
            in_process("seed", url, size, directory)
            rows.append(in_process("plan", url, size, directory))
            if not (chosen.quick and size == SIZES[-1]):
                write_references(directory, NOTICE.replace("is", "was"))
                rows[-1]["rendered"] = in_process("plan", url, size, directory)["seconds"]
        rows_diff = in_process("diff", url, SIZES[0], directory)
    head = ("nodes", "plan CPU s", "with PostgreSQL s", "compiling CPU s", "MiB", "redeploy", "all rendered CPU s")
    cells = [[_cell(name, row.get(name)) for name in _COLUMNS] for row in rows]
    table("Plans", head, cells)
    largest = rows[-1]
    figures.add("plan_seconds_10000", largest["seconds"], "<=", 10)
    figures.add("plan_peak_mebibytes_10000", largest["memory"], "<=", 500)
    if not chosen.quick:
        figures.add("plan_seconds_10000_all_rendered", largest["rendered"], "<=", 20)
    # Ten times the nodes cost no more each; half as much again for caches that overflow.
    figures.add("plan_per_node_10000_over_1000", largest["seconds"] / 10 / rows[0]["seconds"], "<=", 1.5)
    figures.add("design_diff_over_compiling_both_1000", rows_diff["ratio"], "<=", 1.5)
    figures.finish()


_COLUMNS = ("nodes", "seconds", "waited", "compiling", "memory", "redeploy", "rendered")


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if name in ("nodes", "redeploy") else f"{value:.2f}"


def write_references(directory: Path, notice: str) -> None:
    (directory / "notice").write_text(notice)
    (directory / "tool").write_bytes(bytes(MEBIBYTE))


def with_references(design: bytes, directory: Path) -> bytes:
    return design + _REFERENCES.format(directory=directory).encode()


def in_process(kind: str, url: str, size: int, directory: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.plan", "--measure", kind, url, str(size), str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(kind: str, url: str, size: int, directory: Path) -> dict[str, float]:
    old = with_references(site(size), directory)
    new = old.replace(OLD, NEW)
    if kind == "diff":
        (before, after), compiling = timed(lambda: (compile_design(old), compile_design(new)))
        found, comparing = timed(lambda: design_difference(before.site, after.site))
        assert sum(len(group.nodes) for group in found.groups) > size / 10
        return {"ratio": (compiling + comparing) / compiling}
    database = Database(connect(url, pool_size=2, max_overflow=0, application_name="bench"))
    if kind == "seed":
        seed(database, compile_design(old), directory)
        return {}
    return planned(database, new, size, directory)


def references_of(database: Database, directory: Path) -> References:
    def read(digest: str) -> bytes:
        with database.unit_of_work() as uow:
            return uow.designs.content(digest)

    return References(
        allowed_schemes=["drydock", "file"],
        allowed_hosts=[],
        file_roots=[str(directory)],
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


def planned(database: Database, new: bytes, size: int, directory: Path) -> dict[str, float]:
    provisioner: Any = Deployed(DEPLOYMENT)
    references = references_of(database, directory)
    images = ImageCatalogue(provisioner, seconds=60, patience=10)
    designs = DesignService(database, DesignLoader(references, cache_size=1), images)
    stored = designs.store(new, created_by="bench")
    (_, compiling) = timed(lambda: compile_design(new))
    facts = FactsReader(database, designs, provisioner, finders=("memory",), hardware_check=HardwareCheck.WARN)
    settings = ContentSettings(secrets=[servers.SECRET], limits=LIMITS, fetches=8, seconds=60)
    contents = PlanContents(database, references.fetch_within, settings)
    sections = NodeSections([servers.SECRET])
    service = PlanService(database, designs, sections, facts, contents, slots=100, rollout=PLAIN)
    began, clock = cpu_seconds(), time.monotonic()
    plan = service.create(stored.ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="bench")
    seconds, waited = cpu_seconds() - began, time.monotonic() - clock
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


def cpu_seconds() -> float:
    """Of this process and of its renderers, which have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def seed(database: Database, design: CompiledDesign, directory: Path) -> None:
    """Every node as deployed with this design, in parts, as workers write them."""
    sections, sealer = NodeSections([servers.SECRET]), Sealer(servers.SECRET)
    templates = TemplatePool(LIMITS, processes=1)
    sources = FetchedSources(references_of(database, directory).fetch)
    render = templates.for_task("seed", repeatable=True)
    contents = SiteContents(design.site, sources=sources, render=render, max_bytes=LIMITS.max_bytes)
    for part in _parts(list(design.site.nodes), 1000):
        found = []
        for node in part:
            made = sections.of_node(design, node)
            kept = sealer.record(contents.of_node(node))
            marks = {**fingerprints(made), CONTENTS: inputs_of(kept)}
            made = {**made, CONTENTS: kept}
            found.append(NewDeployedNode(node, uuid4(), DEPLOYMENT, design.digest, "jammy", made, marks, "bench"))
        with database.unit_of_work() as uow:
            uow.deployed_nodes.record(found)
            uow.commit()
    templates.close()


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))))
    else:
        main()
