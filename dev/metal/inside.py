"""What runs in the namespace: network, DHCP, hypervisor, BMCs, Ironic, Drydock, and the scenario against them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from dev.machine_tools import CACHE
from dev.metal import disk_image, machines, network, ramdisk, site, tools
from dev.metal.checks import Checks, Stopped
from dev.metal.machines import Machine
from dev.metal.operator import Operator
from dev.metal.scenario import Scenario
from dev.peers import libvirt_python
from dev.peers.ironic_server import IronicServer
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.sushy_emulator import SushyEmulator
from dev.ports import free_port
from dev.processes import StartFailed
from dev.progress import PrintedProgress
from dev.stack import Stack

DIRECTORY = CACHE / "metal-run"
FAILING = {"m2": "fails"}
#: More than its disk has.
TOO_LARGE = {"m2": "40g"}
SHORT = "--short"
PARTS = ("hypervisor", "bmc", "ironic", "machines", "drydock")


def main() -> int:
    # SIGINT too: a shell that starts us in the background would have us ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    for name in PARTS:
        (DIRECTORY / name).mkdir(parents=True)
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # this namespace's network devices
    directory = DIRECTORY / "machines"
    blank = [Machine("m1", 11, directory), Machine("m2", 12, directory)]
    checks = Checks(blank)
    try:
        with ExitStack() as running:
            run(blank, checks, running)
    except (Stopped, StartFailed) as error:
        print(f"make metal: stopped: {error}", file=sys.stderr)
        checks.failed += 1
    except KeyboardInterrupt:
        return 130
    print(f"{checks.passed} checks passed, {checks.failed} failed, in {checks.elapsed():.0f} s; logs: {DIRECTORY}")
    return 1 if checks.failed else 0


def run(blank: list[Machine], checks: Checks, running: ExitStack) -> None:
    progress = PrintedProgress()
    made = tools.ensure()
    image, agent = disk_image.ensure(made), ramdisk.ensure(made)
    network.set_up([machine.number for machine in blank])
    running.enter_context(network.DhcpServer(DIRECTORY, made))
    with progress.part("libvirtd") as part:
        daemon = running.enter_context(LibvirtDaemon(DIRECTORY / "hypervisor"))
        for machine in blank:
            machines.define(machine, daemon, made)
        part.ready(f"{len(blank)} blank machines")
    with progress.part("BMCs") as part:
        addresses = [network.bmc_address(machine.number) for machine in blank]
        bmc = running.enter_context(
            SushyEmulator.libvirt(DIRECTORY / "bmc", daemon.uri, python=libvirt_python.ensure(), addresses=addresses)
        )
        part.ready(", ".join(addresses))
    with progress.part("Ironic") as part:
        home = DIRECTORY / "ironic"
        ironic = running.enter_context(
            IronicServer(
                home, basic=True, address=network.ADDRESS, settings=site.ironic_settings(home, agent, image),
                programs=site.programs(made, home / "bin"),
            )
        )  # fmt: skip
        part.ready(ironic.url)
    port = free_port()
    settings = site.drydock_settings(DIRECTORY, port, ironic, bmc, image)
    stack = running.enter_context(
        Stack(DIRECTORY / "drydock", port=port, machines=None, progress=progress, settings=settings)
    )
    stack.start()
    stack.start_worker()
    operator = Operator(stack, ironic, checks)
    Scenario(stack, operator, checks, daemon, made, ironic.log, *blank).run(
        site.design(blank, bmc, tags=FAILING, root_sizes={}),
        site.design(blank, bmc, tags=FAILING, root_sizes=TOO_LARGE),
        whole=SHORT not in sys.argv,
    )


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
