"""A compiled site as JSON-shaped data, for ``drydock design show`` and GET /designs/{digest}."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drydock.design.secrecy import HIDDEN, SHOWN_OOB, masked
from drydock.model.boot_asset import BootActionDesign, BootAsset
from drydock.model.hardware import HardwareProfile
from drydock.model.host_profile import Interface
from drydock.model.network import Network, NetworkLink
from drydock.model.node import Node
from drydock.model.site import Rack, Region, Repository, SiteDesign
from drydock.model.storage import Filesystem, PhysicalDevice, VolumeGroup

Json = dict[str, Any]


def without_secrets(form: Json) -> Json:
    """A ``site_form`` for readers."""
    shown: Json = masked({**form, "nodes": [_with_open_oob(node) for node in form["nodes"]]})
    return shown


def _with_open_oob(node: Json) -> Json:
    shown = {key: value if key in SHOWN_OOB else HIDDEN for key, value in node["oob_parameters"].items()}
    return {**node, "oob_parameters": shown}


def site_form(site: SiteDesign) -> Json:
    """The whole site, with upstream Drydock's names. Holds the BMCs' credentials."""
    return {
        "region": None if site.region is None else _region(site.region),
        "racks": [_rack(rack) for rack in site.racks.values()],
        "network_links": [_link(link) for link in site.network_links.values()],
        "networks": [_network(network) for network in site.networks.values()],
        "hardware_profiles": [_hardware(profile) for profile in site.hardware_profiles.values()],
        "host_profiles": list(site.host_profiles),
        "nodes": [node_form(node) for node in site.nodes.values()],
        "bootactions": [_action(action) for action in site.boot_actions],
    }


def _hardware(profile: HardwareProfile) -> Json:
    return {
        "name": profile.name,
        "vendor": profile.vendor,
        "generation": profile.generation,
        "hw_version": profile.hw_version,
        "bios_version": profile.bios_version,
        "boot_mode": profile.boot_mode,
        "bootstrap_protocol": profile.bootstrap_protocol,
        "pxe_interface": profile.pxe_interface,
        "cpu_sets": dict(profile.cpu_sets),
        "devices": [
            {"alias": item.alias, "address": item.address, "bus_type": item.bus_type, "dev_type": item.dev_type}
            for item in profile.device_aliases.values()
        ],
        "hugepages": [asdict(pages) for pages in profile.hugepages.values()],
    }


def _rack(rack: Rack) -> Json:
    return {
        "name": rack.name,
        "tor_switches": [asdict(switch) for switch in rack.tor_switches],
        "location": dict(rack.location),
        "local_networks": list(rack.local_networks),
        "labels": dict(rack.labels),
    }


def _repository(repository: Repository) -> Json:
    found: Json = {key: getattr(repository, key) for key in ("name", "url", "repo_type", "gpgkey")}
    for key in ("distributions", "subrepos", "components", "arches"):
        values = getattr(repository, key)
        found[key] = None if values is None else list(values)
    found["options"] = None if repository.options is None else dict(repository.options)
    return found


def _region(region: Region) -> Json:
    repositories = None
    if region.repositories is not None:
        repositories = {
            "remove_unlisted": region.remove_unlisted,
            "repos": [_repository(repository) for repository in region.repositories],
        }
    return {
        "name": region.name,
        "tag_definitions": [asdict(tag) for tag in region.tag_definitions],
        "authorized_keys": list(region.authorized_keys),
        "repositories": repositories,
    }


def _link(link: NetworkLink) -> Json:
    bonding = link.bonding
    return {
        "name": link.name,
        "metalabels": dict(link.labels),
        "bonding_mode": str(bonding.mode),
        "bonding_xmit_hash": bonding.hash,
        "bonding_peer_rate": bonding.peer_rate,
        "bonding_mon_rate": bonding.mon_rate,
        "bonding_up_delay": bonding.up_delay,
        "bonding_down_delay": bonding.down_delay,
        "mtu": link.mtu,
        "linkspeed": link.linkspeed,
        "trunk_mode": str(link.trunk_mode),
        "native_network": link.native_network,
        "allowed_networks": list(link.allowed_networks),
    }


def _network(network: Network) -> Json:
    return {
        "name": network.name,
        "metalabels": dict(network.labels),
        "cidr": network.cidr,
        "vlan_id": network.vlan,
        "routedomain": network.routedomain,
        "mtu": network.mtu,
        "dns_domain": network.dns_domain,
        "dns_servers": network.dns_servers,
        "ranges": [asdict(found) for found in network.ranges],
        "routes": [asdict(route) for route in network.routes],
        "dhcp_relay_self_ip": network.dhcp_relay_self_ip,
        "dhcp_relay_upstream_target": network.dhcp_relay_upstream_target,
        "default_gateway": network.default_gateway,
    }


def node_form(node: Node) -> Json:
    """An effective node."""
    return {
        "name": node.name,
        "parent_profile": node.host_profile,
        "hardware_profile": node.hardware_profile,
        "oob_type": node.oob_type,
        "oob_parameters": dict(node.oob_parameters),
        "rack": node.rack,
        "image": node.image,
        "kernel": node.kernel,
        "kernel_params": dict(node.kernel_params),
        "primary_network": node.primary_network,
        "boot_mac": node.boot_mac,
        "tags": list(node.tags),
        "owner_data": dict(node.owner_data),
        "kernel_param_string": node.kernel_param_string,
        "domain": node.domain,
        "fqdn": node.fqdn,
        "addressing": [asdict(address) for address in node.addresses],
        "interfaces": [_interface(interface) for interface in node.interfaces.values()],
        "storage_devices": [_device(device) for device in node.physical_devices.values()],
        "volume_groups": [_group(group) for group in node.volume_groups.values()],
    }


def _interface(interface: Interface) -> Json:
    return {
        "device_name": interface.name,
        "network_link": interface.network_link,
        "hardware_slaves": list(interface.hardware_slaves),
        "networks": list(interface.networks),
        "sriov": interface.sriov is not None,
        "vf_count": interface.sriov.vf_count if interface.sriov else None,
        "trustedmode": interface.sriov.trustedmode if interface.sriov else None,
        "slave_selectors": [asdict(selector) for selector in interface.slave_selectors],
    }


def _filesystem(found: Filesystem | None) -> Json:
    names = ("mountpoint", "fstype", "mount_options", "fs_uuid", "fs_label")
    return {name: getattr(found, name, None) for name in names}


def _device(device: PhysicalDevice) -> Json:
    return {
        "name": device.name,
        "volume_group": device.volume_group,
        "labels": dict(device.labels) or None,
        "partitions": [
            {
                "name": partition.name,
                "part_uuid": partition.part_uuid,
                "size": partition.size,
                "volume_group": partition.volume_group,
                **_filesystem(partition.filesystem),
                "bootable": partition.bootable,
            }
            for partition in device.partitions
        ],
    }


def _group(group: VolumeGroup) -> Json:
    return {
        "name": group.name,
        "vg_uuid": group.vg_uuid,
        "logical_volumes": [
            {"name": volume.name, "size": volume.size, "lv_uuid": volume.lv_uuid, **_filesystem(volume.filesystem)}
            for volume in group.logical_volumes
        ],
    }


def _action(action: BootActionDesign) -> Json:
    return {
        "name": action.name,
        "signaling": action.signaling,
        "target_nodes": list(action.target_nodes),
        "assets": [_asset(asset) for asset in action.assets],
    }


def _asset(asset: BootAsset) -> Json:
    """Without the data, which may be large and is not what a node gets before rendering."""
    return {
        "type": str(asset.type),
        "path": asset.path,
        "location": asset.location,
        "location_pipeline": list(asset.location_pipeline) or None,
        "data_pipeline": list(asset.data_pipeline) or None,
        "permissions": asset.mode,
        **({} if asset.enable is None else {"enable": asset.enable}),
    }
