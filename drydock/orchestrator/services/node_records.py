"""What is known of a node: its hardware, what it runs, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drydock.db.database import Database
from drydock.errors import NodeNotFound
from drydock.model.deployed_node import DeployedNode
from drydock.model.operator_hold import OperatorHold
from drydock.orchestrator.services.hardware import HardwareService, KnownHardware


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """``sections``: what ``deployed`` was made from. None for what is not known."""

    node: str
    hardware: KnownHardware | None
    deployed: DeployedNode | None
    sections: Mapping[str, Any] | None
    hold: OperatorHold | None


class NodeRecords:
    def __init__(self, database: Database, hardware: HardwareService) -> None:
        self._database = database
        self._hardware = hardware

    def of_node(self, node: str) -> NodeRecord:
        """Names are compared as in DNS. Raises ``NodeNotFound`` if nothing is known."""
        try:
            hardware = self._hardware.of_node(node)
        except NodeNotFound:
            hardware = None
        with self._database.statements() as statements:
            deployed = statements.deployed_nodes.named(node)
            sections = {} if deployed is None else statements.deployed_nodes.sections([deployed.node])
            hold = statements.operator_holds.of_nodes([node]).get(node.lower())
        if hardware is None and deployed is None and hold is None:
            raise NodeNotFound(f"nothing is known of node {node}: neither its hardware, nor a deployment, nor a hold")
        found = (deployed, hardware, hold)
        name = next(each.node for each in found if each is not None)
        return NodeRecord(name, hardware, deployed, None if deployed is None else sections.get(deployed.node), hold)
