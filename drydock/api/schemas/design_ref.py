"""A reference to a design, wherever a body has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.text import ONE_LINE_PATTERN

DESIGN_REF: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 8192, "pattern": ONE_LINE_PATTERN}
