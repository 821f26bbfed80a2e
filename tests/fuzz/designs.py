"""Many broken designs through the compiler: messages come out, never an exception, in little time and memory.

    python -m tests.fuzz.designs --cases 20000 --seconds 2 --megabytes 500

Exit status 1 names the case: ``--first NUMBER --cases 1`` runs it again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from bench.gen_site import site
from drydock.api.views.designs import message_views
from drydock.design.compiler import CompiledDesign, at_site, compile_design
from drydock.design.rules.platform import PlatformSelection
from drydock.design.site_form import site_form
from tests.fuzz.mutations import mutated
from tests.unit.design.real_sites import DESIGNS

ROOT = Path(__file__).resolve().parents[2]
PER_PROCESS = 500


@dataclass(frozen=True, slots=True)
class Case:
    """``seconds`` of processor time. ``megabytes``: how far this case raised its process's peak, and that peak."""

    number: int
    size: int
    seconds: float
    raised: float
    peak: float
    valid: bool
    messages: int
    failure: str = ""


def seeds(*, field: bool) -> list[bytes]:
    """The project's own designs, and those of real sites if they are here."""
    found = [(ROOT / "etc/drydock/examples/site.yaml").read_bytes(), site(3), site(20), b""]
    return found + ([file.read_bytes() for file in sorted(DESIGNS.glob("*.yaml"))] if field else [])


def run_case(found: list[bytes], number: int) -> Case:
    content = mutated(found, number)
    before = _peak()
    began = time.process_time()
    failure, design = "", None
    try:
        design = compile_design(content)
        _use(design)
    except Exception:  # noqa: BLE001 (which ones there are is the question)
        failure = traceback.format_exc(limit=-4)
    seconds, peak = time.process_time() - began, _peak()
    messages = len(design.messages) if design is not None else 0
    return Case(
        number, len(content), seconds, peak - before, peak, design is not None and design.valid, messages, failure
    )


def _use(design: CompiledDesign) -> None:
    """What a service makes of it."""
    assert design.messages
    assert not design.broken or design.error_count
    there = at_site(design, PlatformSelection({"jammy": ["ga-22.04"], "noble": ["ga-24.04"]}))
    assert len(there.messages) + 2 >= len(design.messages)
    json.dumps(message_views(there.messages, at=datetime.now(UTC))).encode()
    json.dumps(site_form(design.site)).encode()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _batch(first: int, count: int) -> list[Case]:
    found = seeds(field=True)
    return [run_case(found, number) for number in range(first, first + count)]


def cases(first: int, count: int, processes: int) -> Iterator[Case]:
    """A new process for each few hundred, so that one case's memory does not hide another's."""
    batches = [(at, min(PER_PROCESS, first + count - at)) for at in range(first, first + count, PER_PROCESS)]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        pending = [pool.apply_async(_batch, batch) for batch in batches]
        for result in pending:
            yield from result.get()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--megabytes", type=float, default=500.0)
    chosen = parser.parse_args()
    found = list(cases(chosen.first, chosen.cases, chosen.processes))
    valid, messages = sum(case.valid for case in found), sum(case.messages for case in found)
    click.echo(f"{len(found)} cases: {valid} valid, {messages} messages")
    for title, key in (("slowest", lambda case: case.seconds), ("most memory", lambda case: case.raised)):
        for case in sorted(found, key=key, reverse=True)[:3]:
            click.echo(f"{title}: case {case.number}, {case.size} bytes, {case.seconds:.3f} s, +{case.raised:.0f} MB")
    click.echo(f"highest peak of a process: {max(case.peak for case in found):.0f} MB")
    bad = [case for case in found if case.failure or case.seconds > chosen.seconds or case.raised > chosen.megabytes]
    for case in bad[:20]:
        click.echo(f"FAILED case {case.number}: {case.seconds:.3f} s, +{case.raised:.0f} MB\n{case.failure}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
