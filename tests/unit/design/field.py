"""The designs of real sites, and the form in which their expected results are written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from drydock.model.boot_asset import BootActionDesign
from drydock.model.host_profile import Interface
from drydock.model.network import Network, NetworkLink
from drydock.model.node import Node
from drydock.model.site import Region, SiteDesign
from drydock.model.storage import Filesystem, PhysicalDevice, VolumeGroup

DESIGNS = Path(__file__).resolve().parents[4] / "shared" / "designs"
needs_field_designs = pytest.mark.skipif(not DESIGNS.is_dir(), reason="the designs of real sites are not here")

EXPECTED = ("treasuremap-v1.9-seaworthy", "aiab-gate-multinode", "attcomdev-ucp-integration")


def design(name: str) -> bytes:
    return (DESIGNS / f"{name}.yaml").read_bytes()


def expected(name: str) -> dict[str, Any]:
    return json.loads((DESIGNS / "expected" / f"{name}.json").read_text())


