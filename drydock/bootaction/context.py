"""The variables of templates: their node and their boot action."""

from __future__ import annotations

from typing import Any

from drydock.model.node import STATIC, Node
from drydock.model.site import SiteDesign


def node_variables(site: SiteDesign, node: Node) -> dict[str, Any]:
    """``node`` for templates: plain copies, so that no template reaches the design.

    ``network`` holds networks with a static address (the last, if there are several), the primary one also as
    ``default``.
    """
    networks = {
        address.network: {
            "ip": address.address,
            "cidr": site.networks[address.network].cidr,
            "dns_suffix": site.networks[address.network].dns_domain,
        }
        for address in node.addresses
        if address.type == STATIC and address.network in site.networks
    }
    if node.primary_network in networks:
        networks["default"] = dict(networks[node.primary_network])
    return {
        "hostname": node.name,
        "domain": node.domain,
        "tags": list(node.tags),
        "labels": dict(node.owner_data),
        "network": networks,
        "interfaces": {name: _sriov(node, name) for name in node.interfaces},
    }


def action_variables(action_id: str, *, key: bytes, report_url: str, design_ref: str) -> dict[str, str]:
    """``action`` for templates; holds the node's key."""
    return {
        "action_id": action_id,
        "action_key": key.hex(),
        "report_url": report_url,
        "design_ref": design_ref,
    }


def _sriov(node: Node, name: str) -> dict[str, Any]:
    sriov = node.interfaces[name].sriov
    if sriov is None:
        return {"sriov": False}
    return {"sriov": True, "vf_count": sriov.vf_count, "trustedmode": sriov.trustedmode}
