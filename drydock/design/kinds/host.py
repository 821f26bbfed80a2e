"""Settings that host profiles and nodes share, from their documents' data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from drydock.design.kinds.storage import physical_devices, volume_groups
from drydock.design.kinds.values import frozen, required, strings, text_map, whole_number
from drydock.design.secrecy import HIDDEN
from drydock.errors import DesignInvalid
from drydock.model.host_profile import HostProfile, Interface, SrIov
from drydock.model.node import DHCP, STATIC, Address

_Data = TypeVar("_Data", bound=Collection[Any])
_Made = TypeVar("_Made")
_NONE: Mapping[str, Any] = MappingProxyType({})
_NO_TAGS: Sequence[str] = ()


class SharedParts:
    """Builds one record per distinct data: thousands of nodes inherit the same sections.

    Data is compared by identity, and kept so that its identity is not reused.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[Any, Any]] = {}

    def get(self, data: _Data, kind: str, make: Callable[[_Data], _Made]) -> _Made:
        key = (id(data), kind)
        if key not in self._made:
            self._made[key] = (data, make(data))
        made: _Made = self._made[key][1]
        return made


def host_profile(name: str, data: Mapping[str, Any]) -> HostProfile:
    """Raises ``DesignInvalid``."""
    return HostProfile(name=name, interfaces=interfaces(data.get("interfaces", {})), **settings(data, SharedParts()))


def settings(data: Mapping[str, Any], shared: SharedParts) -> dict[str, Any]:
    """The arguments that ``HostProfile`` and ``Node`` share, without interfaces. Raises ``DesignInvalid``."""
    oob = data.get("oob", _NONE)
    platform, metadata, storage = (data.get(key, _NONE) for key in ("platform", "metadata", "storage"))
    return {
        "host_profile": data.get("host_profile"),
        "hardware_profile": data.get("hardware_profile"),
        "primary_network": data.get("primary_network"),
        "oob_type": oob.get("type"),
        "oob_parameters": shared.get(oob, "oob", _oob_parameters),
        "image": platform.get("image"),
        "kernel": platform.get("kernel"),
        "kernel_params": shared.get(platform.get("kernel_params", _NONE), "params", text_map),
        "tags": shared.get(metadata.get("tags", _NO_TAGS), "tags", strings),
        "owner_data": shared.get(metadata.get("owner_data", _NONE), "labels", frozen),
        "rack": metadata.get("rack"),
        "physical_devices": shared.get(storage, "devices", physical_devices),
        "volume_groups": shared.get(storage, "groups", volume_groups),
    }


def _oob_parameters(oob: Mapping[str, Any]) -> Mapping[str, str]:
    if HIDDEN in oob.values():
        raise DesignInvalid(f"oob holds {HIDDEN}, which hides a password from readers: write the password itself")
    return MappingProxyType({key: str(value) for key, value in oob.items() if key != "type"})


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
