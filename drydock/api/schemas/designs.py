"""Bodies about designs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.schemas.design_ref import DESIGN_REF

VALIDATE_DESIGN: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "rel": {"enum": ["design"]},
        "href": DESIGN_REF,
        "type": {"type": "string", "maxLength": 256},
    },
    "required": ["href"],
    "additionalProperties": False,
}
