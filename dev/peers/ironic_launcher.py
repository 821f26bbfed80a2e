"""Ironic's combined process, with one result remembered: ``python ironic_launcher.py --config-file FILE``.

Each Redfish call computes the session cache's key by PBKDF2 with 600,000 rounds, 0.3 to 0.8 s of CPU time, of the same
few accounts. The values stay the same. A program of its own, for the environment that has Ironic.
"""

import functools
import hashlib
import sys


def main() -> int:
    remembered = functools.lru_cache(4096)(hashlib.pbkdf2_hmac)
    setattr(hashlib, "pbkdf2_hmac", remembered)  # noqa: B010 - of another type
    from ironic.command.singleprocess import main as serve  # type: ignore[import-not-found]  # after hashlib has it

    return int(serve() or 0)


if __name__ == "__main__":
    sys.exit(main())
