"""Plain values from the configuration that bound what one request may cost."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. ``max_waiting``: requests that one process keeps waiting for a change at a time."""

    max_body_bytes: int = MIB
    max_design_bytes: int = 64 * MIB
    max_event_bytes: int = 8 * MIB
    max_wait_seconds: int = 45
    max_waiting: int = 8
