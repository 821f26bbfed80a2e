"""Machines as the provisioner sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.views.holds import hold_view
from drydock.api.views.times import timestamp
from drydock.model.deployed_node import DeployedNode
from drydock.model.hardware_facts import facts_document
from drydock.model.node_summary import NodeSummary
from drydock.orchestrator.services.node_records import NodeRecord


def node_view(node: NodeSummary) -> dict[str, Any]:
    """All eight keys are always there: clients index them."""
    return {
        "hostname": node.hostname,
        "memory": node.memory,
        "cpu_count": node.cpu_count,
        "status_name": node.status_name,
        "boot_mac": node.boot_mac,
        "power_state": node.power_state,
        "power_address": node.power_address,
        "boot_ip": node.boot_ip,
    }


def known_node_view(known: NodeRecord) -> dict[str, Any]:
    hardware = known.hardware
    before = None if hardware is None else hardware.before
    return {
        "hostname": known.node,
        "facts": None if hardware is None else facts_document(hardware.facts),
        "facts_before": None if before is None else facts_document(before),
        "sources": [
            {"generator": found.generator, "collected": timestamp(found.collected), "task_id": str(found.task_id)}
            for found in ([] if hardware is None else hardware.sources)
        ],
        "deployed": None if known.deployed is None else _deployed_view(known.deployed, known.sections),
        "hold": None if known.hold is None else hold_view(known.hold),
    }


def _deployed_view(deployed: DeployedNode, sections: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "design_digest": deployed.design_digest,
        "image": deployed.image,
        "task_id": str(deployed.task_id),
        "deployed": timestamp(deployed.deployed),
        "deployed_by": deployed.deployed_by,
        "fingerprints": dict(deployed.fingerprints),
        "sections": sections,
    }
