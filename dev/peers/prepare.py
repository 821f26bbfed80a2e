"""Make what the peers need before tests start in parallel: ``python -m dev.peers.prepare``. Safe to repeat."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dev.peers import glance_server, ipmi_sim, ironic_server, libvirt_python, packages, ssh_server
from dev.progress import Doing, PrintedProgress

PARTS: dict[str, Callable[[Doing], object]] = {
    "ipmi_sim": lambda doing: packages.ensure("ipmi", ipmi_sim.PACKAGES),
    "libvirt": libvirt_python.ensure,
    "sshd": lambda doing: packages.ensure("sshd", ssh_server.PACKAGES),
    "Ironic": ironic_server.ensure,
    "Glance": glance_server.ensure,
}


def main() -> int:
    """Always 0: the tests of a peer that cannot be had are skipped, with the reason."""
    progress = PrintedProgress()
    for name, ensure in PARTS.items():
        with progress.part(name) as part:
            try:
                ensure(part.doing)
                part.ready("ready for the tests")
            except packages.Unavailable as error:
                part.ready(f"its tests are skipped: {str(error).splitlines()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
