"""Bodies about holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.text import ONE_LINE_PATTERN

_LINE = {"type": "string", "minLength": 1, "pattern": ONE_LINE_PATTERN}

HOLD: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {**_LINE, "maxLength": 64},
        "reason": {**_LINE, "maxLength": 1000},
        "until": {"type": ["string", "null"], "maxLength": 64},
    },
    "required": ["kind", "reason"],
    "additionalProperties": False,
}
