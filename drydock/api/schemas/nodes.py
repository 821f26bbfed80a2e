"""Bodies about nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.schemas.design_ref import DESIGN_REF

NODE_FILTER: Mapping[str, Any] = {
    "type": "object",
    "properties": {"design_ref": DESIGN_REF, "node_filter": {"type": ["object", "null"]}},
    "required": ["design_ref"],
    "additionalProperties": False,
}
