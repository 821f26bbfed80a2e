"""What can go wrong in the simulated site; requests get a 4xx, or the machine that it is about its own answer.

SimulatorError
├── BadRequest          something asked for that makes no sense
├── MachineNotFound     no such machine, and the rack does not create machines on demand
├── DeploymentConflict  a deployment id that belongs to another machine
└── InstallationFailed  why a machine gave up installing; the reason is for people
"""

from __future__ import annotations


class SimulatorError(Exception):
    """Base of the simulator's errors. ``str(error)`` holds no key."""


class BadRequest(SimulatorError):
    pass


class MachineNotFound(SimulatorError):
    pass


class DeploymentConflict(SimulatorError):
    pass


class InstallationFailed(SimulatorError):
    pass
