"""The state machine of a machine: power, boot, commissioning, installation, erasure.

    off ─power─▶ booting ──▶ discovered ─commission─▶ ready
                    │            ▲
                    └─ deployment waiting ─▶ installing ─▶ restarting ─▶ running ─▶ (boot actions report)
                                                  └──────▶ failed

Each arrow takes time and is a job of the scheduler; each power change starts a new epoch, which cancels the jobs of the
old one. The provisioner controls the power of the machines it works on, as real ones do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drydock.simulator.delays import Delays, Dice, Range
from drydock.simulator.machine import Deployment, Machine, Phase, Power, State
from drydock.simulator.scheduler import Scheduler

Step = Callable[[Machine, int], None]
"""One step of a machine in an epoch. It first checks with ``still`` that the epoch has not ended."""


class Life:
    """``install`` and ``come_up`` are called at the end of an installation and of a boot from disk.

    ``failed`` is called with the reason when a machine fails by a defect of the simulator.
    """

    def __init__(self, scheduler: Scheduler, delays: Delays, dice: Dice) -> None:
        self._scheduler = scheduler
        self._dice = dice
        self.delays = delays
        self.install: Step = _nothing
        self.come_up: Step = _nothing
        self.failed: Callable[[Machine, str], None] = _nothing

    # -- scheduling

    def later(self, machine: Machine, delay: Range, step: Step) -> None:
        """Schedule a step of this epoch. The machine's lock must be held."""
        epoch = machine.epoch
        self._scheduler.after(self._dice.draw(delay), lambda: self._run(machine, epoch, step))

    def _run(self, machine: Machine, epoch: int, step: Step) -> None:
        """A step that raises is a defect of the simulator; the machine fails at once, so that waiters notice."""
        try:
            step(machine, epoch)
        except Exception as exc:
            reason = f"the simulator failed: {type(exc).__name__}: {exc}"
            with self.still(machine, epoch) as lasts:
                if lasts:
                    if machine.deployment is not None:
                        machine.deployment.phase, machine.deployment.detail = Phase.FAILED, reason
                    machine.enter(State.FAILED, reason)
            if lasts:
                self.failed(machine, reason)
            raise

    @contextmanager
    def still(self, machine: Machine, epoch: int) -> Iterator[bool]:
        """Holds the machine's lock; true if the epoch has not ended."""
        with machine.lock:
            yield machine.epoch == epoch

    # -- power, as the BMC switches it

    def power_on(self, machine: Machine) -> None:
        with machine.lock:
            if machine.wanted_power is Power.OFF:
                self._switch(machine, Power.ON)

    def power_off(self, machine: Machine) -> None:
        with machine.lock:
            if machine.wanted_power is Power.ON:
                self._switch(machine, Power.OFF)

    def restart(self, machine: Machine) -> None:
        with machine.lock:
            if machine.erasing:
                return
            if machine.power is Power.ON:
                self._power_lost(machine)
            self._switch(machine, Power.ON)

    def _switch(self, machine: Machine, wanted: Power) -> None:
        machine.epoch += 1
        machine.wanted_power = wanted
        self.later(machine, self.delays.power, self._powered)

    def _powered(self, machine: Machine, epoch: int) -> None:
        with self.still(machine, epoch) as lasts:
            if not lasts:
                return
            if machine.wanted_power is Power.OFF:
                self._power_lost(machine)
                if machine.erasing:
                    self._erase(machine)
            elif machine.power is Power.OFF:
                machine.power = Power.ON
                machine.enter(State.BOOTING, "power on")
                self.later(machine, self.delays.boot, self._boot)

    def _power_lost(self, machine: Machine) -> None:
        machine.power = Power.OFF
        machine.enter(State.OFF, "power off")

    # -- boot

    def _boot(self, machine: Machine, epoch: int) -> None:
        with self.still(machine, epoch) as lasts:
            if not lasts:
                return
            device = machine.boot_override.take()
            deployment = machine.deployment
            if deployment is not None and deployment.installed:
                # The provisioner boots a machine it has installed from disk, whatever device it tried first.
                self.come_up(machine, machine.epoch)
            elif device in ("Hdd", "Cd"):
                machine.enter(State.STUCK, f"nothing to boot on {device}")
            elif deployment is not None and deployment.phase is Phase.DEPLOYING:
                self._start_installation(machine, deployment)
            else:
                machine.seen = True
                machine.contact()
                machine.enter(State.READY if machine.commissioned else State.DISCOVERED, "booted from the network")

    def _start_installation(self, machine: Machine, deployment: Deployment) -> None:
        machine.seen = True
        machine.contact()
        deployment.detail = "installing"
        machine.enter(State.INSTALLING, f"installing deployment {deployment.id}")
        shutil.rmtree(machine.directory, ignore_errors=True)
        self.later(machine, self.delays.install, self.install)

    # -- the provisioner's verbs

    def commission(self, machine: Machine) -> None:
        """Take inventory; the provisioner starts the machine if it is off. No effect if done or in progress.

        Removes a failed deployment.
        """
        with machine.lock:
            if machine.deployment is not None and machine.deployment.phase is Phase.FAILED:
                machine.deployment = None
                machine.commissioned = False
            if machine.commissioned or machine.state is State.COMMISSIONING:
                return
            if machine.wanted_power is Power.OFF:
                self._switch(machine, Power.ON)
            elif machine.state in (State.DISCOVERED, State.READY, State.FAILED):
                machine.enter(State.COMMISSIONING, "commissioning")
                self.later(machine, self.delays.boot, self._commissioned)

    def _commissioned(self, machine: Machine, epoch: int) -> None:
        with self.still(machine, epoch) as lasts:
            if lasts:
                machine.commissioned = True
                machine.contact()
                machine.enter(State.READY, "commissioned")

    def deploy(self, machine: Machine, deployment: Deployment) -> bool:
        """Reinstall; false while the machine is being erased. No effect for the same deployment."""
        with machine.lock:
            if machine.erasing:
                return False
            if machine.deployment is not None and machine.deployment.id == deployment.id:
                return True
            machine.deployment = deployment
            machine.fetched, machine.reported = [], []
            machine.boot_override.target, machine.boot_override.enabled = "Pxe", "Once"
            machine.note(f"deployment {deployment.id} accepted")
            self.restart(machine)
            return True

    def destroy(self, machine: Machine) -> bool:
        """Cut the power, remove the deployment, wipe the disk; true once that is done."""
        with machine.lock:
            if machine.erasing:
                return False
            if machine.wanted_power is Power.OFF and machine.power is Power.OFF:
                if machine.deployment is not None or machine.directory.exists():
                    self._erase(machine)
                return True
            machine.erasing = True
            self._switch(machine, Power.OFF)
            return False

    def _erase(self, machine: Machine) -> None:
        shutil.rmtree(machine.directory, ignore_errors=True)
        machine.erasing = False
        machine.deployment = None
        machine.commissioned = False
        machine.settings = {}
        machine.fetched, machine.reported = [], []
        machine.note("released and erased")


def _nothing(machine: Machine, given: object) -> None:
    """Default of the callbacks: does nothing."""
