"""The designs of real sites, and the form in which their expected results are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DESIGNS = Path(__file__).resolve().parents[4] / "shared" / "designs"
needs_real_sites = pytest.mark.skipif(not DESIGNS.is_dir(), reason="the designs of real sites are not here")

EXPECTED = ("treasuremap-v1.9-seaworthy", "aiab-gate-multinode", "attcomdev-ucp-integration")


def design(name: str) -> bytes:
    return (DESIGNS / f"{name}.yaml").read_bytes()


def expected(name: str) -> dict[str, Any]:
    messages: dict[str, Any] = json.loads((DESIGNS / "expected" / f"{name}.json").read_text())
    return messages
