"""What is done about hardware that is not as the design has it."""

from __future__ import annotations

from enum import StrEnum


class HardwareCheck(StrEnum):
    """``fail``: the node fails before anything is written. ``warn``: its task says so, and goes on."""

    FAIL = "fail"
    WARN = "warn"
    OFF = "off"
