"""Plain values from the configuration that bound what one request may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. ``max_waiting``: requests that one process keeps waiting for a change at a time."""

    max_body_bytes: int
    max_design_bytes: int
    max_event_bytes: int
    max_wait_seconds: int
    max_waiting: int
