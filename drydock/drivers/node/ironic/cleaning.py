"""The proof of a cleaning, from the node and its history as Ironic shows them. Pure.

Ironic forgets the steps of a cleaning when it ends. Its history names those that it knew when the cleaning began: none
where it had to start the agent first. Then they are known by a look at the node meanwhile.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drydock.drivers.node.ironic.nodes import IronicNode, moment, step_names
from drydock.model.cleaning import Cleaning, CleaningEvent

STARTED, ENDED = "automated_cleaning_start", "automated_cleaning_end"
FAILED = "cleaning"
INSTALLATION = "deployment_start"
_STEPS = "with steps="
MOST_EVENTS = 50
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeenSteps:
    """The steps that a node showed while it was being cleaned; at the first look and at the last one, since when it
    was in its state.
    """

    steps: tuple[str, ...]
    first: datetime
    last: datetime


def cleaning(node: IronicNode, history: Sequence[Json], looked: SeenSteps | None) -> Cleaning:
    """Of what was cleaned after the last installation that the history has."""
    rows = sorted(
        ((at, row) for row in history if (at := moment(row.get("created_at"))) is not None), key=lambda pair: pair[0]
    )
    installed = max((at for at, row in rows if row.get("event_type") == INSTALLATION), default=None)
    later = [(at, row) for at, row in rows if installed is None or at >= installed]
    begun = [(at, row) for at, row in later if row.get("event_type") == STARTED][-1:]
    ended = [at for at, row in later if row.get("event_type") == ENDED and not _is_error(row)][-1:]
    if looked is not None and installed is not None and looked.last < installed:
        looked = None
    steps = _listed(str(begun[0][1].get("event"))) if begun else None
    starts = [at for at, _ in begun]
    if looked is not None:
        starts.append(looked.last if installed is not None and looked.first < installed else looked.first)
    return Cleaning(
        automated=node.automated_clean,
        steps=() if node.automated_clean is False else steps or (None if looked is None else looked.steps),
        began=min(starts, default=None),
        ended=ended[0] if ended else None,
        state=node.state,
        events=tuple(
            CleaningEvent(time=at, kind=str(row["event_type"]), failed=_is_error(row))
            for at, row in later
            if row.get("event_type") in (STARTED, ENDED, FAILED)
        )[-MOST_EVENTS:],
    )


def _is_error(row: Json) -> bool:
    return row.get("severity") == "ERROR"


def _listed(event: str) -> tuple[str, ...] | None:
    """The steps in Ironic's words, where they are a list of Python. None where they are not, or are cut."""
    try:
        return step_names(ast.literal_eval(event.partition(_STEPS)[2])) or None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
