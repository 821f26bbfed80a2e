"""Machines as the provisioner sees them."""

from __future__ import annotations

from typing import Any

from drydock.api.views.times import timestamp
from drydock.model.hardware_facts import facts_document
from drydock.model.node_summary import NodeSummary
from drydock.orchestrator.services.hardware import KnownHardware


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


def known_node_view(known: KnownHardware) -> dict[str, Any]:
    return {
        "hostname": known.node,
        "facts": facts_document(known.facts),
        "facts_before": None if known.before is None else facts_document(known.before),
        "sources": [
            {"generator": found.generator, "collected": timestamp(found.collected), "task_id": str(found.task_id)}
            for found in known.sources
        ],
    }
