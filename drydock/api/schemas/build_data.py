"""Build data as a machine sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.text import ONE_LINE_PATTERN

_NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": ONE_LINE_PATTERN}

BUILD_DATA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"generator": _NAME, "format": _NAME, "element": {"type": "string"}},
    "required": ["generator", "format", "element"],
    "additionalProperties": False,
}
