"""Make what the tests share before they start in parallel, so that none of them waits."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from dev import keystone, machine_tools
from dev.peers import prepare as peers


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, keystone.start(Path(directory) / "keystone"):
        pass
    print(f"Keystone is ready for the tests ({time.monotonic() - started:.1f} s)")
    peers.main()
    return machine_tools.main()


if __name__ == "__main__":
    sys.exit(main())
