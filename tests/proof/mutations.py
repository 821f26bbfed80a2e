"""Designs changed at random, on a site that runs: what is planned is what must be done, and what is done is what was
planned.

    python -m tests.proof.mutations --count 10000 --seed 1

Changes go in chains of twenty on one site, each chain with a seed of its own. A case that fails names it:
``--seed ITS_SEED --count 20`` runs it again.
"""

from __future__ import annotations

import argparse
import sys
import time

import click

from tests.proof.chain import Chain, Counts
from tests.proof.machines import ProvenWorld, proven_world
from tests.proof.promises import Disproved

CHAIN = 20
#: So many failures, and the rest is not run.
MOST_BROKEN = 20


def run_chain(world: ProvenWorld, seed: int, length: int, counts: Counts) -> None:
    """Raises ``Disproved``, with the seed and the change."""
    chain, number = None, 0
    try:
        chain = Chain(world, seed, counts)
        until = counts.mutations + length
        while counts.mutations < until:
            number += 1
            chain.mutate()
    except Exception as exc:
        what = "the first design" if chain is None else chain.words
        raise Disproved(f"seed {seed}, change {number} ({what}): {type(exc).__name__}: {exc}") from exc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    counts, broken, began = Counts(), 0, time.monotonic()
    with proven_world() as world:
        seed = chosen.seed
        while counts.mutations < chosen.count and broken < MOST_BROKEN:
            try:
                run_chain(world, seed, min(CHAIN, chosen.count - counts.mutations), counts)
            except Disproved as exc:
                broken += 1
                click.echo(f"BROKEN {exc}")
            seed += 1
            if (seed - chosen.seed) % 25 == 0:
                click.echo(f"{time.monotonic() - began:.0f} s, before seed {seed}: {counts}")
    click.echo(
        f"{counts}; {broken} promises broken; {time.monotonic() - began:.0f} s, seeds {chosen.seed} to {seed - 1}"
    )
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
