"""Errors of the simulated site. Requests get a 4xx, or an error for the machine concerned.

SimulatorError
├── BadRequest          an invalid request
├── MachineNotFound     no such machine, and machines are not created on demand
├── DeploymentConflict  a deployment id that belongs to another machine
└── InstallationFailed  a machine stopped installing; the text is the reason
"""

from __future__ import annotations


class SimulatorError(Exception):
    """Base of the simulator's errors. ``str(error)`` contains no key."""


class BadRequest(SimulatorError):
    pass


class MachineNotFound(SimulatorError):
    pass


class DeploymentConflict(SimulatorError):
    pass


class InstallationFailed(SimulatorError):
    pass
