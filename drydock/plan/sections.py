"""What a node of a design amounts to, in sections: JSON-shaped data that two designs, or a design and a record, are
compared by.

Only what reaches a machine or its BMC is in it. Names of profiles are not: a setting that moves from a node to its host
profile changes nothing. Everything with a name is keyed by it, and what has no order in a design is sorted, so that the
order of documents does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from drydock.model.boot_asset import BootActionDesign, BootAsset
from drydock.model.hardware import HardwareProfile
from drydock.model.host_profile import Interface
from drydock.model.network import Network, NetworkLink
from drydock.model.node import STATIC, Node
from drydock.model.numbering import numbered
from drydock.model.site import SiteDesign
from drydock.model.storage import Filesystem, PhysicalDevice, VolumeGroup
from drydock.plan.sealing import Seal, unchanged, without_secrets

Json = Mapping[str, Any]

#: A machine is made from these: a change in one of them reaches it by a deployment only.
DEPLOYED = ("platform", "networking", "storage", "hardware", "boot_actions")
#: A change in one of these reaches no installed system.
OTHER = ("placement", "out_of_band")
SECTIONS = (*DEPLOYED, *OTHER)


class SiteSections:
    """The sections of one design. What nodes share is made once and is the same object in the sections of each."""

    def __init__(self, site: SiteDesign, seal: Seal = unchanged) -> None:
        """``seal`` stands in for secrets in all sections but ``out_of_band``."""
        self._site = site
        self._seal = seal
        self._made: dict[tuple[str, object], tuple[object, Any]] = {}
        self._links = {name: _link(link, site.networks) for name, link in site.network_links.items()}
        self._networks = {name: _network(network) for name, network in site.networks.items()}
        self._hardware = {name: _hardware(profile) for name, profile in site.hardware_profiles.items()}
        self._actions = {
            id(action): (action.name, without_secrets(_action(action), seal)) for action in site.boot_actions
        }

    def of_node(self, name: str) -> dict[str, Json]:
        """Every section by its name. Raises ``KeyError`` if the design has no such node."""
        node = self._site.nodes[name]
        return {
            "platform": self._platform(node),
            "networking": self._networking(node),
            "storage": self._storage(node),
            "hardware": {**self._hardware.get(node.hardware_profile or "", {}), "boot_mac": node.boot_mac},
            "boot_actions": self._boot_actions(name),
            "placement": {"rack": node.rack},
            "out_of_band": {
                **node.oob_parameters,
                "type": node.oob_type,
                "address": node.static_address(node.oob_parameters.get("network")),
            },
        }

    def of_site(self) -> dict[str, Json]:
        """What belongs to no node: by kind, then by name."""
        site, region = self._site, self._site.region
        repositories = None if region is None else region.repositories
        return {
            "networks": {
                name: {**self._networks[name], "ranges": sorted(_range(found) for found in network.ranges)}
                for name, network in site.networks.items()
            },
            "network_links": {
                name: {**self._links[name], "allowed_networks": sorted(link.allowed_networks)}
                for name, link in site.network_links.items()
            },
            "racks": {
                name: {
                    "location": dict(rack.location),
                    "labels": dict(rack.labels),
                    "local_networks": sorted(rack.local_networks),
                    "tor_switches": {switch.name: asdict(switch) for switch in rack.tor_switches},
                }
                for name, rack in site.racks.items()
            },
            "tags": {} if region is None else {tag.tag: asdict(tag) for tag in region.tag_definitions},
            "authorized_keys": {} if region is None else dict.fromkeys(sorted(region.authorized_keys), True),
            "repositories": {repository.name: _plain(asdict(repository)) for repository in repositories or ()},
            "repository_settings": {
                "managed": repositories is not None,
                "remove_unlisted": region is not None and region.remove_unlisted,
            },
        }

    def _platform(self, node: Node) -> Json:
        return {
            "image": node.image,
            "kernel": node.kernel,
            "kernel_params": self._once("sealed", node.kernel_params, self._sealed),
            "domain": node.domain,
            "tags": self._once("tags", node.tags, sorted),
            "owner_data": self._once("sealed", node.owner_data, self._sealed),
        }

    def _networking(self, node: Node) -> Json:
        shared: Json = self._once("networking", node.interfaces, self._shared_networking)
        addresses: dict[str, list[str]] = {}
        for address in node.addresses:
            addresses.setdefault(address.network, []).append(address.address or address.type)
        # The BMC's address is none of the machine's, unless one of its interfaces is on that network.
        of_bmc = {node.oob_parameters.get("network")} - set(shared["networks"])
        # On no interface, but templates are given those with a static address.
        others = {address.network for address in node.addresses if address.type == STATIC} - of_bmc
        others = (others - set(shared["networks"])) & set(self._networks)
        networks = {name: _to_templates(self._networks[name]) for name in sorted(others)}
        return {
            **shared,
            "networks": {**shared["networks"], **networks} if networks else shared["networks"],
            "addresses": {name: found for name, found in addresses.items() if name not in of_bmc},
            "primary_network": node.primary_network,
        }

    def _shared_networking(self, interfaces: Mapping[str, Interface]) -> Json:
        carried = {network for interface in interfaces.values() for network in interface.networks}
        return {
            "interfaces": {
                name: _interface(interface, self._links.get(interface.network_link or "", {}))
                for name, interface in interfaces.items()
            },
            "networks": {name: self._networks[name] for name in sorted(carried) if name in self._networks},
        }

    def _storage(self, node: Node) -> Json:
        aliases = self._site.hardware_profiles.get(node.hardware_profile or "")
        place = (id(node.physical_devices), id(node.volume_groups), id(aliases))
        made: Json = self._once(
            "storage",
            (node.physical_devices, node.volume_groups, aliases),
            lambda _: {
                "disks": {name: _disk(device, aliases) for name, device in node.physical_devices.items()},
                "volume_groups": {name: _volume_group(group) for name, group in node.volume_groups.items()},
            },
            place=place,
        )
        return made

    def _boot_actions(self, name: str) -> Json:
        chosen = tuple(self._actions[id(action)] for action in self._site.boot_actions if name in action.target_nodes)
        made: Json = self._once("actions", chosen, _by_name, place=tuple(id(action) for action in chosen))
        return made

    def _sealed(self, value: Any) -> Any:
        return without_secrets(value, self._seal)

    def _once(self, kind: str, value: Any, make: Callable[[Any], Any], *, place: object = None) -> Any:
        """Made once for one object, which is kept so that its id stays its own."""
        key = (kind, id(value) if place is None else place)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = (value, make(value))
        return found[1]


def _plain(value: Any) -> Any:
    """Tuples as lists, as they come back from JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _hardware(profile: HardwareProfile) -> dict[str, Any]:
    """CPU sets, huge pages and aliases are not in it: what refers to them is resolved where it is used."""
    names = ("vendor", "generation", "hw_version", "bios_version", "boot_mode", "bootstrap_protocol", "pxe_interface")
    return {name: getattr(profile, name) for name in names}


def _link(link: NetworkLink, networks: Mapping[str, Network]) -> dict[str, Any]:
    """A network that shares the native one's VLAN is untagged too."""
    native = networks.get(link.native_network or "")
    return {
        "bonding": {name: _word(value) for name, value in asdict(link.bonding).items()},
        "mtu": link.mtu,
        "linkspeed": link.linkspeed,
        "trunk_mode": str(link.trunk_mode),
        "native_network": link.native_network,
        "native_vlan": None if native is None else native.vlan,
        "labels": dict(link.labels),
    }


def _word(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _network(network: Network) -> dict[str, Any]:
    """Routes by their subnet; a marker of a route domain has none, and the routes that it stands for are there."""
    return {
        "cidr": network.cidr,
        "vlan": network.vlan,
        "mtu": network.mtu,
        "dns_domain": network.dns_domain,
        "dns_servers": network.dns_servers,
        "labels": dict(network.labels),
        "routes": {
            f"{route.subnet} via {route.gateway}": {"metric": route.metric}
            for route in sorted(network.routes, key=lambda route: (str(route.subnet), str(route.gateway)))
            if route.subnet is not None
        },
        "dhcp_relay": {
            "self_ip": network.dhcp_relay_self_ip,
            "upstream_target": network.dhcp_relay_upstream_target,
        },
    }


def _to_templates(network: Json) -> dict[str, Any]:
    return {name: network[name] for name in ("cidr", "dns_domain")}


def _range(found: Any) -> str:
    return f"{found.type} {found.start}-{found.end}"


def _interface(interface: Interface, link: Json) -> dict[str, Any]:
    return {
        "link": link,
        "devices": [selector.address for selector in interface.slave_selectors] or list(interface.hardware_slaves),
        "networks": sorted(interface.networks),
        "sriov": None if interface.sriov is None else asdict(interface.sriov),
    }


def _disk(device: PhysicalDevice, profile: HardwareProfile | None) -> dict[str, Any]:
    alias = None if profile is None else profile.device_aliases.get(device.name)
    return {
        "address": None if alias is None else alias.address,
        "volume_group": device.volume_group,
        "labels": dict(device.labels),
        "partitions": _named(
            (
                partition.name,
                {
                    "size": partition.size,
                    "part_uuid": partition.part_uuid,
                    "volume_group": partition.volume_group,
                    "bootable": partition.bootable,
                    "labels": dict(partition.labels),
                    "filesystem": _filesystem(partition.filesystem),
                },
            )
            for partition in device.partitions
        ),
    }


def _volume_group(group: VolumeGroup) -> dict[str, Any]:
    return {
        "vg_uuid": group.vg_uuid,
        "logical_volumes": _named(
            (
                volume.name,
                {
                    "size": volume.size,
                    "lv_uuid": volume.lv_uuid,
                    "filesystem": _filesystem(volume.filesystem),
                },
            )
            for volume in group.logical_volumes
        ),
    }


def _filesystem(found: Filesystem | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _action(action: BootActionDesign) -> dict[str, Any]:
    return {
        "signaling": action.signaling,
        "assets": _named((asset.path or f"({asset.type})", _asset(asset)) for asset in action.assets),
    }


def _asset(asset: BootAsset) -> dict[str, Any]:
    """As the design has it: a template is one content for all nodes, a reference is its address."""
    return {
        "type": str(asset.type),
        "location": asset.location,
        "location_pipeline": list(asset.location_pipeline),
        "data_pipeline": list(asset.data_pipeline),
        "permissions": f"{asset.mode:04o}",
        "enable": asset.enable,
        "packages": None if asset.packages is None else dict(asset.packages),
        "content": None if asset.data is None else f"sha256:{sha256(asset.data.encode()).hexdigest()}",
    }


def _by_name(actions: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return _named(sorted(actions, key=lambda action: (action[0], repr(action[1]))))


def _named(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """By name; a second of one name is numbered."""
    found = list(items)
    return dict(zip(numbered(name for name, _ in found), (value for _, value in found), strict=True))
