"""The subtasks of a task, as ids and numbers instead of whole tasks."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.model.task import TaskProgress


@dataclass(frozen=True, slots=True)
class SubtaskCounts:
    """``still_open``: those of ``total`` that have not ended."""

    total: int
    still_open: int


@dataclass(frozen=True, slots=True)
class SubtaskSummary:
    """``ids`` in the order of their creation."""

    ids: tuple[str, ...]
    progress: TaskProgress
