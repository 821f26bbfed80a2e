"""The end of an installation, as curtin's late commands do it: fetches, checks and unpacks both tarballs."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.counting import counted
from drydock.simulator import bundle
from drydock.simulator.actions import owed_reports
from drydock.simulator.delays import Range
from drydock.simulator.errors import InstallationFailed
from drydock.simulator.exchange import Answer, NodeHttp
from drydock.simulator.faults import Fault
from drydock.simulator.life import Life
from drydock.simulator.machine import Deployment, Machine, Phase, State
from drydock.simulator.user_data import BootEnvironment, read_boot_environment

KINDS = ("units", "files")
"""In the order in which curtin fetches them."""


@dataclass(frozen=True, slots=True)
class Fetched:
    environment: BootEnvironment
    bodies: tuple[bytes, bytes]
    """One for each of ``KINDS``."""


#: Tries of an installation that cannot reach its server; with their pauses they outlast a restart of it.
TRIES = 7


class _NotNow(Exception):
    """No answer, or a passing error."""


class Installation:
    """Retries after no answer or a 5xx, as the boot script does; any other status than 200 is final.

    A machine with the fault ``impatient`` tries once.
    """

    def __init__(self, life: Life, http: NodeHttp) -> None:
        self._life = life
        self._http = http

    def finish(self, machine: Machine, epoch: int, attempt: int = 1) -> None:
        with self._life.still(machine, epoch) as lasts:
            if not lasts or machine.deployment is None:
                return
            deployment = machine.deployment
            fails = Fault.INSTALL_FAILS in machine.faults
            last = attempt >= TRIES or Fault.IMPATIENT in machine.faults
        try:
            if fails:
                raise InstallationFailed("the installer could not write the image")
            fetched = self._fetch(machine, epoch, deployment) if deployment.user_data.strip() else None
            with self._life.still(machine, epoch) as lasts:
                if lasts:
                    self._install(machine, deployment, fetched)
        except _NotNow as exc:
            if last:
                self._fail(machine, epoch, deployment, str(exc))
            else:
                pause = 0.5 * 2 ** (attempt - 1)
                self._life.later(machine, Range(pause, pause), lambda m, e: self.finish(m, e, attempt + 1))
        except InstallationFailed as exc:
            self._fail(machine, epoch, deployment, str(exc))

    def _fetch(self, machine: Machine, epoch: int, deployment: Deployment) -> Fetched:
        environment = read_boot_environment(deployment.user_data)
        if environment.node != machine.name:
            raise InstallationFailed(f"this is {machine.name}, but its user data is for {environment.node}")
        units, files = (self._get(machine, epoch, environment, kind) for kind in KINDS)
        return Fetched(environment, (units, files))

    def _get(self, machine: Machine, epoch: int, environment: BootEnvironment, kind: str) -> bytes:
        """Without the lock: a slow server must not block requests about the machine."""
        answer: Answer = self._http.get(f"{environment.bootdata_url}/{kind}", environment.key)
        with self._life.still(machine, epoch) as lasts:
            if lasts:
                machine.fetched.append(answer.record())
                machine.note(f"GET {answer.url}: {answer.outcome}")
        if answer.passing:
            raise _NotNow(f"GET {answer.url}: {answer.outcome}")
        if answer.status != 200:
            raise InstallationFailed(f"GET {answer.url}: {answer.outcome}")
        bundle.check_headers(answer.headers, len(answer.body))
        return answer.body

    def _install(self, machine: Machine, deployment: Deployment, fetched: Fetched | None) -> None:
        machine.directory.mkdir(parents=True, exist_ok=True)
        if fetched is not None:
            units, files = (bundle.unpack(body, machine.directory) for body in fetched.bodies)
            deployment.owed = owed_reports(units, files, fetched.environment.key)
            unpacked = f"{counted(len(units), 'unit')} and {counted(len(files), 'file')}"
            machine.note(f"unpacked {unpacked}, {counted(len(deployment.owed), 'report')} to send")
        deployment.installed = True
        deployment.detail = "installed, restarting"
        machine.contact()
        machine.enter(State.RESTARTING, "installed, restarting")
        self._life.later(machine, self._life.delays.boot, self._life.come_up)

    def _fail(self, machine: Machine, epoch: int, deployment: Deployment, reason: str) -> None:
        with self._life.still(machine, epoch) as lasts:
            if lasts:
                deployment.phase = Phase.FAILED
                deployment.detail = reason
                machine.contact()
                machine.enter(State.FAILED, f"installation failed: {reason}")
