"""Build data: facts about a node, collected while it was built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BuildData:
    node: str
    task_id: UUID
    collected: datetime
    generator: str
    data_format: str
    data_element: str
