"""What a person is to do at a step, and that it was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """``asked``: since when ``step`` waits for it. ``confirmed`` and ``confirmed_by`` are None until it is given."""

    step: str
    asked: datetime
    confirmed: datetime | None
    confirmed_by: str | None
    note: str
