"""What host profiles and nodes have in common, from their documents' data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drydock.design.kinds.storage import physical_devices, volume_groups
from drydock.design.kinds.values import frozen, required, strings, text_map, whole_number
from drydock.errors import DesignInvalid
from drydock.model.host_profile import HostProfile, Interface, SrIov
from drydock.model.node import DHCP, STATIC, Address


def host_profile(name: str, data: Mapping[str, Any]) -> HostProfile:
    """Raises ``DesignInvalid``."""
    return HostProfile(name=name, **settings(data))


def settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that ``HostProfile`` and ``Node`` share. Raises ``DesignInvalid``."""
    oob = data.get("oob", {})
    platform, metadata, storage = data.get("platform", {}), data.get("metadata", {}), data.get("storage", {})
    return {
        "host_profile": data.get("host_profile"),
        "hardware_profile": data.get("hardware_profile"),
        "primary_network": data.get("primary_network"),
        "oob_type": oob.get("type"),
        "oob_parameters": MappingProxyType({key: str(value) for key, value in oob.items() if key != "type"}),
        "image": platform.get("image"),
        "kernel": platform.get("kernel"),
        "kernel_params": text_map(platform.get("kernel_params")),
        "tags": strings(metadata.get("tags")),
        "owner_data": frozen(metadata.get("owner_data")),
        "rack": metadata.get("rack"),
        "interfaces": interfaces(data.get("interfaces", {})),
        "physical_devices": physical_devices(storage),
        "volume_groups": volume_groups(storage),
    }


def interfaces(data: Mapping[str, Any]) -> Mapping[str, Interface]:
    return MappingProxyType({name: _interface(name, body) for name, body in data.items() if body is not None})


def addresses(data: Mapping[str, Any]) -> tuple[Address, ...]:
    """Of a node; at least one. Raises ``DesignInvalid``."""
    found = data.get("addressing", ())
    if not found:
        raise DesignInvalid("addressing is missing: a node needs at least one address")
    return tuple(_address(item) for item in found)


def _interface(name: str, data: Mapping[str, Any]) -> Interface:
    return Interface(
        name=name,
        network_link=data.get("device_link"),
        hardware_slaves=strings(data.get("slaves")),
        networks=strings(data.get("networks")),
        sriov=_sriov(name, data.get("sriov")),
    )


def _sriov(name: str, data: Mapping[str, Any] | None) -> SrIov | None:
    if data is None:
        return None
    return SrIov(
        vf_count=whole_number(data.get("vf_count", 0), f"interfaces.{name}.sriov.vf_count"),
        trustedmode=data.get("trustedmode", data.get("trustmode", False)),
    )


def _address(data: Mapping[str, Any]) -> Address:
    network = required(data, "network", "addressing: ")
    address = data.get("address")
    if not address:
        raise DesignInvalid(f"addressing: the address on network {network} is missing")
    return Address(network, DHCP) if address == "dhcp" else Address(network, STATIC, address)
