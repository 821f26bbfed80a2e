"""What a deployed node reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.model.boot_action import ReportStatus


def _any_case(word: str) -> str:
    return "".join(f"[{letter.lower()}{letter.upper()}]" for letter in word)


REPORT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "pattern": f"^({'|'.join(_any_case(status) for status in ReportStatus)})$"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "error": {"type": "boolean"}},
                "required": ["message", "error"],
            },
        },
    },
    "additionalProperties": False,
}
