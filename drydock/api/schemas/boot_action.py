"""What a deployed node reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPORT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "maxLength": 64},
        "details": {
            "type": "array",
            "maxItems": 10_000,
            "items": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "error": {"type": "boolean"}},
                "required": ["message", "error"],
            },
        },
    },
    "additionalProperties": False,
}
