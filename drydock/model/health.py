"""Whether the things we depend on answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    name: str
    healthy: bool
    detail: str = ""
