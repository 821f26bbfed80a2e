"""What a node runs: what its last successful deployment was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewDeployedNode:
    """``sections``: JSON-shaped, see ``plan/sections.py``, without credentials; ``fingerprints``: of each section.

    ``deployment_id``: by which the provisioner knows it.
    """

    node: str
    task_id: UUID
    deployment_id: UUID
    design_digest: str
    image: str | None
    sections: Mapping[str, Any]
    fingerprints: Mapping[str, str]
    deployed_by: str


@dataclass(frozen=True, slots=True)
class DeployedNode:
    """As it is kept, without its sections, which are large. The task may have been deleted since."""

    node: str
    task_id: UUID
    deployment_id: UUID
    design_digest: str
    image: str | None
    fingerprints: Mapping[str, str]
    deployed: datetime
    deployed_by: str
