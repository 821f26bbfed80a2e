"""A machine on its way: what its installer says of itself, and when it was heard of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that came with an event; ``content`` is its end if it was long."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """One step of an installer. ``result`` is empty until the step ended; ``extra`` is kept as it came."""

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
    """When a machine was first and last heard of in a deployment, and where it said that it was."""

    first_contact: datetime | None = None
    last_contact: datetime | None = None
    stage: str = ""


@dataclass(frozen=True, slots=True)
class NewBuildData:
    """What a machine found out about itself."""

    generator: str
    data_format: str
    data_element: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptAmounts:
    """What is kept of one deployment: events that became messages, bytes and rows of build data."""

    events: int
    kept_bytes: int
    kept_rows: int
