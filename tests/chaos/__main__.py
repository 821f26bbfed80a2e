"""``make chaos ROUNDS=n SEED=s``: rounds of chaos with the seeds s, s+1, …; exit 1 if a promise was broken.

A round is repeated alone with its own seed: ``make chaos ROUNDS=1 SEED=<the round's>``.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos import audit
from tests.chaos.rounds import LARGE_SITE, RoundResult, Size, run_round
from tests.chaos.stack import ChaosStack


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--large", type=int, default=LARGE_SITE, help="nodes of the large site")
    parser.add_argument("--directory", type=Path, help="where to keep logs; else they go unless something is wrong")
    options = parser.parse_args()
    directory = options.directory or Path(tempfile.mkdtemp(prefix="drydock-chaos-logs-"))
    # As with Ctrl-C: what is frozen at this moment must not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results: list[RoundResult] = []
    try:
        with ChaosStack(directory / "site") as stack:
            audit.install(stack)
            for seed in range(options.seed, options.seed + options.rounds):
                result, _ = run_round(stack, seed, Size(large=options.large), directory / f"round-{seed}")
                results.append(result)
                _tell(result)
    finally:
        _sum_up(results)
    broken = sum(len(result.violations) for result in results)
    if options.directory is None and not broken:
        shutil.rmtree(directory)
    else:
        _say(f"logs: {directory}")
    return 1 if broken else 0


def _tell(result: RoundResult) -> None:
    _say(
        f"seed {result.seed}: {result.seconds:.0f} s, {result.faults.total()} faults, {result.counted['tasks']} tasks, "
        f"{result.counted['nodes']} nodes, {len(result.violations)} violations",
    )
    for violation in result.violations:
        _say(f"  {violation}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _sum_up(results: list[RoundResult]) -> None:
    faults: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for result in results:
        faults.update(result.faults)
        counted.update(result.counted)
    _say(f"\n{len(results)} rounds, {sum(result.seconds for result in results):.0f} s, {faults.total()} faults:")
    for name, count in [*sorted(faults.items()), ("", 0), *sorted(counted.items())]:
        _say(f"  {count:7}  {name}" if name else "")
    broken = Counter(violation.partition(":")[0] for result in results for violation in result.violations)
    _say(f"\n{broken.total()} violations {dict(broken) if broken else ''}")


if __name__ == "__main__":
    sys.exit(main())
