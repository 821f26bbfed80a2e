"""Limits and errors of rendering a template."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SOURCE = 256 * 1024
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """For one asset: seconds of CPU time, and bytes of the finished asset."""

    max_seconds: float
    max_bytes: int

    @property
    def max_memory(self) -> int:
        """Bytes of memory beyond what an idle renderer has."""
        return 128 * _MIB + 8 * self.max_bytes


class TemplateFaultError(ValueError):
    """A template that cannot be rendered. ``quoting``: a text that may quote template and variables."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.quoting = f"{message}: {detail}" if detail else message


class LimitExceededError(TemplateFaultError):
    """A template that reached a limit, or ended the process that rendered it."""
