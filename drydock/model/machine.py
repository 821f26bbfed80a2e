"""A machine during deployment: events of its installer, and its last contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file attached to an event; ``content`` is only the end of a long one."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """One step of an installer. ``result`` is empty until the step ended; ``extra`` is stored unchanged."""

    name: str
    description: str
    event_type: str
    origin: str
    result: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[LogFile, ...] = ()

    @property
    def error(self) -> bool:
        return self.result.upper() in ("FAIL", "FAILURE")

    @property
    def stage(self) -> str:
        return f"{self.name}: {self.result}" if self.result else self.name


@dataclass(frozen=True, slots=True)
class MachineContact:
    """First and last contact of a machine in a deployment, and its reported stage."""

    first_contact: datetime | None = None
    last_contact: datetime | None = None
    stage: str = ""


@dataclass(frozen=True, slots=True)
class NewBuildData:
    """Build data that a machine reports about itself."""

    generator: str
    data_format: str
    data_element: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptAmounts:
    """What is kept of one deployment: events that became messages, bytes and rows of build data."""

    events: int
    kept_bytes: int
    kept_rows: int
