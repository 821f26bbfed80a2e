"""Rollouts of every kind while things break: workers are killed, nodes fail at any step, operators pause and hold.

    python -m tests.proof.rollouts --count 1000 --seed 1

A run that fails names its seed: ``--seed ITS_SEED --count 1`` runs it again.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import click

from drydock.model.task import ResultStatus
from tests.proof.machines import ProvenWorld, proven_world
from tests.proof.promises import Disproved
from tests.proof.rollout_run import Run
from tests.proof.witness import watched


@dataclass(slots=True)
class Counts:
    runs: int = 0
    nodes: int = 0
    kills: int = 0
    retries: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in sorted(self.ends.items()))
        return f"{self.runs} runs, {self.nodes} nodes, {self.kills} workers killed, {self.retries} retries: {ends}"


def run_one(world: ProvenWorld, seed: int, counts: Counts) -> None:
    """Needs ``watched``. Raises ``Disproved``, with the seed."""
    run = None
    try:
        run = Run(world, seed)
        run.go()
    except Exception as exc:
        what = "" if run is None else f" ({run.action} of {len(run.names)} nodes, {run.rollout})"
        raise Disproved(f"seed {seed}{what}: {type(exc).__name__}: {exc}") from exc
    counts.runs += 1
    counts.nodes += len(run.names)
    counts.kills += run.runner.kills
    counts.retries += run.retries
    for sub in world.subtasks(run.task.id).values():
        failed = sub.result.reason.split(" of ")[0].split(" at ")[0].split(": ")[0]
        failed = re.sub(r"^\S+ is held by", "held by", failed)
        counts.ends["success" if sub.result.status is ResultStatus.SUCCESS else failed or "terminated"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)
    counts, broken, began = Counts(), 0, time.monotonic()
    with proven_world() as world, watched(world.sql):
        for seed in range(chosen.seed, chosen.seed + chosen.count):
            try:
                run_one(world, seed, counts)
            except Disproved as exc:
                broken += 1
                click.echo(f"BROKEN {exc}")
            if (seed - chosen.seed) % 50 == 49:
                click.echo(f"{time.monotonic() - began:.0f} s, to seed {seed}: {counts}")
    click.echo(f"{counts}; {broken} promises broken; {time.monotonic() - began:.0f} s")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
