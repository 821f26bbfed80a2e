"""Machines as the provisioner sees them."""

from __future__ import annotations

from typing import Any

from drydock.model.node_summary import NodeSummary


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
