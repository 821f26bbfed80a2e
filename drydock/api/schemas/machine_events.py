"""What installers post of their progress: cloud-init's and curtin's webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Of a log file's path.
MAX_PATH_BYTES = 1024

_TEXT = {"type": "string", "maxLength": 10_000}

#: Further keys are ignored: installers of later versions may send more, and cannot be changed.
EVENT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": _TEXT,
        "event_type": {"type": "string", "maxLength": 255},
        "origin": {"type": "string", "maxLength": 255},
        "timestamp": {"type": ["number", "string"], "maxLength": 255},
        "result": {"type": ["string", "null"], "maxLength": 255},
        "duration": {"type": ["number", "null"]},
        "files": {
            "type": ["array", "null"],
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": {
                    # In bytes, as it is part of an index: see read_event.
                    "path": {"type": "string", "minLength": 1, "maxLength": MAX_PATH_BYTES},
                    "content": {"type": "string"},
                    "encoding": {"enum": ["base64"]},
                },
                "required": ["path", "content", "encoding"],
            },
        },
    },
    "required": ["name", "event_type"],
}
