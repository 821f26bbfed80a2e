"""Make what the tests share before they start in parallel, so that none of them waits: Keystone's environment."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from dev import keystone


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, keystone.start(Path(directory) / "keystone"):
        pass
    print(f"Keystone is ready for the tests ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    main()
