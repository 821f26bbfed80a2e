"""sushy-tools' emulator with quick power changes: ``python sushy_launcher.py LOW HIGH --config FILE``.

A fake system changes its power after 1 to 11 s, drawn by ``fakedriver.random.randint``: LOW and HIGH take their place.
A program of its own, for the environment that has sushy-tools.
"""

import random
import sys
import types

from sushy_tools.emulator.resources.systems import fakedriver


def main() -> int:
    low, high = int(sys.argv[1]), int(sys.argv[2])
    del sys.argv[1:3]
    fakedriver.random = types.SimpleNamespace(randint=lambda _low, _high: random.randint(low, high))  # noqa: S311
    from sushy_tools.emulator.main import main as serve

    return int(serve() or 0)


if __name__ == "__main__":
    sys.exit(main())
