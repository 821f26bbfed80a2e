"""The machines of the simulated site by name, and their directories."""

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
    """``faults``: set on machines when they are created, now or on demand. ``images``: with kernels."""

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
        """As ``known``, but creates an unknown machine if the site creates machines on demand."""
        machine = self.find(identity)
        if machine is None and self._on_demand:
            machine, _ = self.add(identity)
        return machine or self.known(identity)

    def claim_deployment(self, deployment_id: str, name: str) -> None:
        """Bind a deployment to one machine permanently. Raises ``DeploymentConflict``."""
        with self._lock:
            owner = self._names_by_deployment.setdefault(deployment_id, name)
        if owner != name:
            raise DeploymentConflict(f"deployment {deployment_id} belongs to {owner}")

    def all(self) -> list[Machine]:
        with self._lock:
            return list(self._machines.values())

    def only(self) -> Machine | None:
        """The machine of a site with one machine."""
        machines = self.all()
        return machines[0] if len(machines) == 1 else None
