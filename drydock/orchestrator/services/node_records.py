"""What is known of a node: its hardware, what it runs, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drydock.db.database import Database
from drydock.drivers.node.base import NodeProvisioner
from drydock.errors import DriverUnavailable, NodeNotFound
from drydock.model.deployed_node import DeployedNode
from drydock.model.operator_hold import OperatorHold
from drydock.orchestrator.services.hardware import HardwareService, KnownHardware


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """``sections``: what ``deployed`` was made from. None for what is not known.

    ``deployed`` is None as well of a node that is not deployed: what it runs is recorded at the end of a deployment.
    """

    node: str
    hardware: KnownHardware | None
    deployed: DeployedNode | None
    sections: Mapping[str, Any] | None
    hold: OperatorHold | None


class NodeRecords:
    def __init__(self, database: Database, hardware: HardwareService, provisioner: NodeProvisioner) -> None:
        self._database = database
        self._hardware = hardware
        self._provisioner = provisioner

    def of_node(self, node: str) -> NodeRecord:
        """Names are compared as in DNS. Raises ``NodeNotFound`` if nothing is known, nor by the provisioner."""
        try:
            hardware = self._hardware.of_node(node)
        except NodeNotFound:
            hardware = None
        with self._database.statements() as statements:
            deployed = statements.deployed_nodes.named(node)
            sections = {} if deployed is None else statements.deployed_nodes.sections([deployed.node])
            hold = statements.operator_holds.of_nodes([node]).get(node.lower())
        found = (deployed, hardware, hold)
        name = next((each.node for each in found if each is not None), None) or self._provisioners_name(node)
        return NodeRecord(name, hardware, deployed, None if deployed is None else sections.get(deployed.node), hold)

    def _provisioners_name(self, node: str) -> str:
        nothing = f"nothing is known of node {node}: neither its hardware, nor a deployment, nor a hold"
        try:
            names = [summary.hostname for summary in self._provisioner.list_nodes()]
        except DriverUnavailable as exc:
            raise NodeNotFound(f"{nothing}; {self._provisioner.name} does not answer") from exc
        known = next((name for name in names if name.lower() == node.lower()), None)
        if known is None:
            raise NodeNotFound(f"{nothing}, nor does {self._provisioner.name} know it")
        return known
