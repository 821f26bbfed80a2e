"""Bodies about plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.schemas.design_ref import DESIGN_REF

CREATE_PLAN: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "design_ref": DESIGN_REF,
        "node_filter": {"type": ["object", "null"]},
        "destroy_unlisted": {"type": "boolean", "description": "True only without `node_filter`."},
    },
    "required": ["design_ref"],
    "additionalProperties": False,
}
