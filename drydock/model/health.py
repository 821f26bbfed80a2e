"""Health of the services that Drydock depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    """``seconds``: duration of the check."""

    name: str
    healthy: bool
    detail: str = ""
    seconds: float = 0.0
