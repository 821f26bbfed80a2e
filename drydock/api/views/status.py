"""The Airship ``Status`` document: what errors, validation and health answer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def status_view(
    *, code: int, success: bool, message: str, reason: str, messages: Sequence[Mapping[str, Any]], error_count: int
) -> Json:
    """``code`` is the HTTP status, ``reason`` our own stable code (or empty)."""
    return {
        "kind": "Status",
        "apiVersion": "v1.0",
        "metadata": {},
        "status": "Success" if success else "Failure",
        "code": code,
        "message": message,
        "reason": reason,
        "details": {"errorCount": error_count, "messageList": list(messages)},
    }


def error_view(*, code: int, message: str, reason: str, retry: bool, field: str = "") -> Json:
    """An error, with the three keys (``type``, ``message``, ``retry``) that the oldest clients read."""
    entry: Json = {"message": message, "error": True}
    if field:
        entry["field"] = field
    return {
        **status_view(code=code, success=False, message=message, reason=reason, messages=[entry], error_count=1),
        "type": "error",
        "retry": retry,
    }
