"""The name of JSON-shaped data by its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from drydock.plan.sections import SECTIONS


def fingerprint(value: Any) -> str:
    """SHA-256 in hexadecimal digits; the order of keys makes no difference."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprints(sections: Mapping[str, Any]) -> dict[str, str]:
    """One for each section."""
    return {name: fingerprint(sections[name]) for name in SECTIONS if name in sections}


def recordable(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The sections to keep of a deployed node: without its BMC's, whose credentials must not be stored."""
    return {name: value for name, value in sections.items() if name != "out_of_band"}
