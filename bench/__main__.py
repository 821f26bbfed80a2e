"""Run all benchmarks in their short form, one after the other: ``make bench``. Ends at the first that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Programs here that are no benchmarks.
OTHERS = {"__main__", "gen_site"}


def benchmarks() -> list[str]:
    """Every module of this package that can be run by itself."""
    found = Path(__file__).parent.glob("*.py")
    return sorted(file.stem for file in found if file.stem not in OTHERS and "__main__" in file.read_text())


def main() -> int:
    for name in benchmarks():
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", "--quick"], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
