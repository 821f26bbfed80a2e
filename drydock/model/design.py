"""Design snapshots, and what validation says of a design."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drydock.model.message import ValidationMessage

#: What a stored design is called in a ``design_ref``.
DESIGN_REF_PREFIX = "drydock://designs/"


@dataclass(frozen=True, slots=True)
class DesignSnapshot:
    """The bytes a reference resolved to, kept by ``digest`` (SHA-256, hex). ``size`` in bytes."""

    digest: str
    size: int
    created: datetime
    created_by: str

    @property
    def ref(self) -> str:
        return DESIGN_REF_PREFIX + self.digest


@dataclass(frozen=True, slots=True)
class ValidationReport:
    messages: tuple[ValidationMessage, ...]

    @property
    def error_count(self) -> int:
        return sum(1 for message in self.messages if message.error)

    @property
    def valid(self) -> bool:
        return self.error_count == 0
