"""A hold that an operator puts on a node: until it is released or expires, no action that changes the node begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class NewHold:
    """``kind``: a word of the operator's own, such as ``maintenance``. ``until``: None for no end."""

    node: str
    kind: str
    reason: str
    created_by: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OperatorHold:
    node: str
    kind: str
    reason: str
    created_by: str
    created: datetime
    until: datetime | None

    def __str__(self) -> str:
        until = "it is released" if self.until is None else f"{self.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.node} is held by {self.created_by} ({self.kind}: {self.reason}) until {until}"


#: By node name in lower case: names are compared as DNS does.
HoldsByNode = Mapping[str, OperatorHold]
