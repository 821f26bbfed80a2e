"""A machine as the provisioner knows it, in a list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """A machine as GET nodes shows it. ``memory`` in MiB."""

    hostname: str
    memory: int
    cpu_count: int
    status_name: str
    boot_mac: str
    power_state: str
    power_address: str
    boot_ip: str
