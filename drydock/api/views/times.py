"""Timestamps on the wire: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def optional_timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
