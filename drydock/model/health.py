"""Whether the things we depend on answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    """``seconds``: how long it took to find out."""

    name: str
    healthy: bool
    detail: str = ""
    seconds: float = 0.0
