"""What it takes to make a site of a design, beside what YAML alone takes: seconds and memory, from 10 to 10,000 nodes.

    python -m bench.design [--quick] [--check]

Each measurement is a process of its own, so that its peak of memory is its own; the two kinds take turns. Seconds are
processor time: one thread computes, and a busy machine would only add waiting.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.figures import Figures, Sample, options, table
from bench.gen_site import site

SIZES = (10, 100, 1_000, 10_000)
TURNS = 5
STAGES = ("parse", "schemas", "compile", "rules")
MEGABYTE = 1_000_000


def main() -> None:
    chosen = options(__doc__)
    figures = Figures(check=chosen.check)
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for size in SIZES:
            file = Path(directory) / f"{size}.yaml"
            file.write_bytes(site(size))
            rows.append(measure(file, size, turns=2 if chosen.quick and size == SIZES[-1] else TURNS))
    head = ("nodes", "MB", "yaml s", "yaml MB", *(f"{stage} s" for stage in STAGES), "all MB", "after/yaml")
    table("Medians; yaml: PyYAML's CSafeLoader on the same bytes", head, [cells(row) for row in rows])
    largest = rows[-1]
    for row in rows:
        figures.add(f"design_after_parsing_over_yaml_{row['nodes']:.0f}", row["ratio"], "<=", 1)
    figures.add("design_after_parsing_over_own_parsing_10000", largest["after"] / largest["parse"], "<=", 1)
    figures.add("design_peak_megabytes_10000", largest["memory"], "<=", 1000)
    # Linear: beside YAML, which is, ten times the nodes cost no more each. Half as much again for caches that overflow.
    figures.add("design_ratio_10000_over_1000", largest["ratio"] / rows[-2]["ratio"], "<=", 1.5)
    figures.finish()


def measure(file: Path, size: int, *, turns: int) -> dict[str, float]:
    plain, own = [], []
    for _ in range(turns):
        plain.append(in_process("yaml", file))
        own.append(in_process("design", file))
    row = {stage: Sample(tuple(found[stage] for found in own)).median for stage in STAGES}
    row["yaml"] = Sample(tuple(found["yaml"] for found in plain)).median
    row["yaml_memory"] = max(found["memory"] for found in plain)
    row["memory"] = max(found["memory"] for found in own)
    row["after"] = sum(row[stage] for stage in STAGES[1:])
    return {**row, "nodes": size, "megabytes": file.stat().st_size / MEGABYTE, "ratio": row["after"] / row["yaml"]}


def cells(row: Mapping[str, float]) -> list[str]:
    return [
        f"{row['nodes']:.0f}",
        f"{row['megabytes']:.2f}",
        f"{row['yaml']:.4f}",
        f"{row['yaml_memory']:.0f}",
        *(f"{row[stage]:.4f}" for stage in STAGES),
        f"{row['memory']:.0f}",
        f"{row['ratio']:.2f}",
    ]


def in_process(kind: str, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.design", "--measure", kind, str(file)], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(kind: str, file: Path) -> dict[str, float]:
    """In this process: processor seconds of each stage, and the peak of resident memory in MB."""
    content = file.read_bytes()
    seconds = of_yaml(content) if kind == "yaml" else of_design(content)
    return {**seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE}


def of_yaml(content: bytes) -> dict[str, float]:
    _, seconds = timed(lambda: list(yaml.load_all(content, Loader=yaml.CSafeLoader)))
    return {"yaml": seconds}


def of_design(content: bytes) -> dict[str, float]:
    """The stages of ``compile_design``, one by one."""
    from drydock.design.compiler import compile_documents
    from drydock.design.documents import check_documents
    from drydock.design.schemas import KINDS, validator
    from drydock.design.validation import validate
    from drydock.design.yaml_stream import read_stream

    for kind in KINDS:
        validator(kind)  # compiled once per process
    stream, parse = timed(lambda: read_stream(content))
    found, schemas = timed(lambda: check_documents(stream))
    (compiled, messages, _), compiling = timed(lambda: compile_documents(found))
    checked, rules = timed(lambda: list(validate(compiled)))
    assert not any(message.error for message in (*messages, *checked))
    return {"parse": parse, "schemas": schemas, "compile": compiling, "rules": rules}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
