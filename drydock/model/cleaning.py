"""What a provisioner knows of the cleaning of a machine that it has taken down: its proof, as far as it has one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

CLEANING = "-cleaning"
"""After a provisioner's name: the generator of the proof as build data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningEvent:
    """``kind``: in the provisioner's words. ``time``: UTC."""

    time: datetime
    kind: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """``automated``: None if the provisioner's own configuration decides, which it does not show.

    ``steps``: as ``interface.step``, in order; empty if none was done, None if they are not known. ``began``,
    ``ended``: None if that is not known. ``state``: in which the provisioner leaves the machine.
    """

    automated: bool | None
    steps: tuple[str, ...] | None
    began: datetime | None
    ended: datetime | None
    state: str
    events: tuple[CleaningEvent, ...]


def cleaning_document(cleaning: Cleaning) -> dict[str, Any]:
    """JSON-shaped, every member present: the form in which it is kept as build data."""
    return {
        "automated": cleaning.automated,
        "steps": None if cleaning.steps is None else list(cleaning.steps),
        "began": _text(cleaning.began),
        "ended": _text(cleaning.ended),
        "state": cleaning.state,
        "events": [
            {"time": _text(event.time), "kind": event.kind, "failed": event.failed} for event in cleaning.events
        ],
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
