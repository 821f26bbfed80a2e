"""Design snapshots, and the result of validating a design."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drydock.model.message import ValidationMessage

#: Prefix of the ``design_ref`` of a stored design.
DESIGN_REF_PREFIX = "drydock://designs/"
#: Length of a SHA-256 in hexadecimal digits.
DIGEST_LENGTH = 64


def snapshot_of(design_ref: str) -> str | None:
    """The digest in a reference to a stored design; None for any other reference."""
    reference = design_ref.strip().lower()
    if not reference.startswith(DESIGN_REF_PREFIX):
        return None
    return reference[len(DESIGN_REF_PREFIX) :][:DIGEST_LENGTH]


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
