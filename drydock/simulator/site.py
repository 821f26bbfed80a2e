"""The rack: every machine of the simulated site by name, and where they live on disk."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from drydock.simulator.errors import DeploymentConflict, MachineNotFound
from drydock.simulator.images import IMAGES
from drydock.simulator.machine import Machine, check_name

NO_FAULTS: Mapping[str, Iterable[str]] = MappingProxyType({})


class Site:
    """``faults`` are given to machines when they are created, whether now or on demand. ``images``: with kernels."""

    def __init__(
        self,
        directory: pathlib.Path,
        *,
        on_demand: bool = False,
        faults: Mapping[str, Iterable[str]] = NO_FAULTS,
        images: Mapping[str, Sequence[str]] = IMAGES,
    ) -> None:
        self._directory = directory
        self._on_demand = on_demand
        self._faults = faults
        self.images = images
        self._lock = threading.Lock()
        self._machines: dict[str, Machine] = {}
        self._names_by_uuid: dict[str, str] = {}
        self._names_by_deployment: dict[str, str] = {}
        self.settings: Mapping[str, Any] = {}

    def add(self, name: object) -> tuple[Machine, bool]:
        """The machine of that name, and whether it is new."""
        checked = check_name(name)
        with self._lock:
            if checked in self._machines:
                return self._machines[checked], False
            machine = Machine(checked, self._directory / checked, self._faults.get(checked, ()))
            self._machines[checked] = machine
            self._names_by_uuid[machine.uuid] = checked
            return machine, True

    def find(self, identity: str) -> Machine | None:
        with self._lock:
            return self._machines.get(self._names_by_uuid.get(identity, identity))

    def known(self, identity: str) -> Machine:
        """By name or UUID. Raises ``MachineNotFound``."""
        machine = self.find(identity)
        if machine is None:
            raise MachineNotFound(f"there is no machine {identity!r}")
        return machine

    def asked_for(self, identity: str) -> Machine:
        """As ``known``, but a rack on demand has every machine that somebody asks for."""
        machine = self.find(identity)
        if machine is None and self._on_demand:
            machine, _ = self.add(identity)
        return machine or self.known(identity)

    def claim_deployment(self, deployment_id: str, name: str) -> None:
        """A deployment is of one machine for good. Raises ``DeploymentConflict``."""
        with self._lock:
            owner = self._names_by_deployment.setdefault(deployment_id, name)
        if owner != name:
            raise DeploymentConflict(f"deployment {deployment_id} is of {owner}")

    def all(self) -> list[Machine]:
        with self._lock:
            return list(self._machines.values())

    def only(self) -> Machine | None:
        """The machine of a rack of one."""
        machines = self.all()
        return machines[0] if len(machines) == 1 else None
