"""What a node of a compiled design is to its machine: made from the effective node, without ``drydock/plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from drydock.bootaction.context import node_variables
from drydock.bootaction.templates import TemplateRenderer
from drydock.design.provisioning import provisioned_node
from drydock.drivers.node.records import DeviceSelector
from drydock.model.site import SiteDesign

#: Of a node: names of documents, what only its BMC or nothing on it sees, and what is made from other fields.
_NOT_OF_THE_MACHINE = frozenset(
    {"name", "host_profile", "hardware_profile", "rack", "oob_type", "oob_parameters", "kernel_param_string"}
)
_HARDWARE = ("vendor", "generation", "hw_version", "bios_version", "boot_mode", "bootstrap_protocol", "pxe_interface")


def machine(site: SiteDesign, name: str) -> Any:
    """Equal for two designs if, and only if, a machine that was deployed with one is as the other wants it."""
    node = site.nodes[name]
    hardware = site.hardware_profiles[node.hardware_profile or ""]
    carried = {network for interface in node.interfaces.values() for network in interface.networks}
    own = {field.name: getattr(node, field.name) for field in fields(node) if field.name not in _NOT_OF_THE_MACHINE}
    of_bmc = node.oob_parameters.get("network")
    own["tags"] = frozenset(node.tags)
    own["addresses"] = [
        address for address in node.addresses if address.network != of_bmc or address.network in carried
    ]
    own["addresses"].sort(key=lambda address: address.network)
    own["interfaces"] = {
        interface.name: (
            frozenset(interface.networks),
            [selector.address for selector in interface.slave_selectors],
            interface.sriov,
            _link(site, interface.network_link),
        )
        for interface in node.interfaces.values()
    }
    own["disks"] = {
        device: hardware.device_aliases[device].address
        for device in node.physical_devices
        if device in hardware.device_aliases
    }
    own["hardware"] = [getattr(hardware, field) for field in _HARDWARE]
    own["networks"] = {network: _network(site, network) for network in carried if network in site.networks}
    own["addressed"] = {
        address.network: (site.networks[address.network].cidr, site.networks[address.network].dns_domain)
        for address in own["addresses"]
        if address.network in site.networks and address.type == "static"
    }
    own["boot_actions"] = sorted(
        repr((action.name, action.signaling, [_plain(asset) for asset in action.assets]))
        for action in site.boot_actions
        if name in action.target_nodes
    )
    return _plain(own)


def contents(site: SiteDesign, name: str, files: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What is in the assets of a machine, as equal deployments have it. ``files``: what is behind references."""
    renderer = TemplateRenderer()
    variables = {"node": node_variables(site, site.nodes[name]), "action": _ACTION}
    found: list[tuple[str, str, str]] = []
    for action in site.boot_actions:
        for asset in action.assets:
            if name not in action.target_nodes or asset.path is None:
                continue
            text = asset.data or ""
            if asset.location is not None:
                text = files[asset.location.partition("?")[0].rpartition("/")[2]]
            if "template" in asset.data_pipeline:
                # What is drawn at random is another one each time, in equal deployments too.
                text = renderer.render(text.replace("| random", "| first"), variables, max_bytes=1 << 20)[0].decode()
            found.append((action.name, asset.path, text))
    return sorted(found)


_ACTION = {"action_id": "0" * 26, "action_key": "0" * 64, "report_url": "x", "design_ref": "x"}


def given(site: SiteDesign, name: str) -> Any:
    """What drivers and templates are given, without what has no order in a design: a change of it must be seen."""
    node = provisioned_node(site, name)
    of_bmc = site.nodes[name].oob_parameters.get("network")
    variables = node_variables(site, site.nodes[name])
    variables["tags"] = sorted(variables["tags"])
    variables["network"] = {net: found for net, found in variables["network"].items() if net != of_bmc}
    record = {field.name: getattr(node, field.name) for field in fields(node) if field.name != "bmc"}
    record["tags"] = sorted(node.tags)
    record["kernel_params"] = sorted(node.kernel_params.split())
    return _unordered(_plain([record, variables]))


def _link(site: SiteDesign, name: str | None) -> Any:
    found = site.network_links.get(name or "")
    if found is None:
        return None
    native = site.networks.get(found.native_network or "")
    own = {field.name: getattr(found, field.name) for field in fields(found) if field.name not in _OF_THE_SITE}
    return {**own, "native_vlan": None if native is None else native.vlan}


#: Of a link and a network: which networks it may carry, which addresses it gives away.
_OF_THE_SITE = frozenset({"name", "allowed_networks", "ranges", "routedomain"})


def _network(site: SiteDesign, name: str) -> Any:
    network = site.networks[name]
    own = {field.name: getattr(network, field.name) for field in fields(network) if field.name not in _OF_THE_SITE}
    own["routes"] = sorted(
        (str(route.subnet), str(route.gateway), str(route.metric)) for route in network.routes if route.subnet
    )
    return own


def _plain(value: Any) -> Any:
    """Of dictionaries, lists and what can be compared; absent and None are the same."""
    if isinstance(value, DeviceSelector):
        # The kind of device is words for people.
        return [value.name, value.address]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _unordered(value: Any) -> Any:
    """Lists of records in one order."""
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return sorted((_unordered(item) for item in value), key=repr)
    return value
