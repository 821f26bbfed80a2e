"""Messages of tasks, for operators, and of validation, for authors of designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """One line of a task's history, oldest first in a task's ``messageList``."""

    message: str
    error: bool
    ts: datetime
    context_type: str = "task"
    context: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A line to be added to a task's history. Without ``context`` it is about the task itself."""

    task_id: UUID
    message: str
    error: bool = False
    context_type: str = "task"
    context: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Level(StrEnum):
    INFO = "Info"
    WARNING = "Warning"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Which design document a message is about. ``schema`` as in ``drydock/Network/v1``."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class ValidationMessage:
    """One finding about a design.

    ``code`` is upstream Drydock's (``DD3003``), ``rule`` a unique readable name, because some codes stand for
    two rules. ``diagnostic`` links to the documentation.
    """

    code: str
    rule: str
    message: str
    level: Level
    documents: tuple[DocumentRef, ...] = ()
    diagnostic: str = ""

    @property
    def error(self) -> bool:
        return self.level is Level.ERROR
