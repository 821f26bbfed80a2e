"""``make check``: what a change must pass before it is committed, two things side by side.

Each is named, with the time that it took; what it printed is shown if it failed. All are run, whatever fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from dev.progress import PrintedProgress

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYTHON = (sys.executable, "-m")

#: The longest first.
CHECKS: Mapping[str, Sequence[str]] = {
    "unit tests": (*PYTHON, "pytest", "-q", "-n", "2", "--dist", "worksteal", "tests/unit"),
    "types": ("mypy",),
    "samples": ("sh", "dev/samples.sh", "--check"),
    "imports": ("lint-imports", "--no-cache"),
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
}
AT_ONCE = 2


def main() -> int:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    failed = []
    with PrintedProgress().part("check") as part, ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(_run, command, environment): name for name, command in CHECKS.items()}
        left = list(CHECKS)
        part.doing(", ".join(left))
        for done in as_completed(running):
            name = running[done]
            left.remove(name)
            part.doing("left: " + ", ".join(left))
            code, output, seconds = done.result()
            print(f"  {name:<12} {'failed' if code else 'passed'} ({seconds:.1f} s)", flush=True)
            if code:
                failed.append(name)
                print(output, flush=True)
        part.ready(f"failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, float]:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
