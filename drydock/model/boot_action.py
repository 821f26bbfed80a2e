"""A boot action of one deployment, and the reports of the machine about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from drydock.model.stored import StoredEnum


class ReportStatus(StoredEnum):
    """A final status as a machine reports it (any case on the wire)."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class BootAction:
    """One boot action of one boot context. ``id`` is a ULID. ``status`` is None until it is final."""

    id: str
    context_id: UUID
    task_id: UUID
    node: str
    name: str
    signaling: bool
    status: ReportStatus | None = None
    finalized: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportDetail:
    message: str
    error: bool
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a machine: messages, and in the last one a status."""

    status: ReportStatus | None = None
    details: tuple[ReportDetail, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The result of storing a report. ``action``: as it was before.

    ``key_digest``: of the key that may report; None: its deployment ended. ``transaction``: the number of the
    transaction that stores the report; None: the report was refused.
    """

    action: BootAction
    key_digest: bytes | None = field(repr=False)
    transaction: int | None


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """A report that came with an idempotency key. ``digest``: its SHA-256. ``status``: that of the action after it."""

    digest: bytes
    status: ReportStatus | None
