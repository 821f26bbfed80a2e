"""Settings that host profiles and nodes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drydock.model.storage import PhysicalDevice, VolumeGroup


@dataclass(frozen=True, slots=True)
class SlaveSelector:
    """How to find a device: by bus ``address`` (of ``device_type``) or by ``name``."""

    selector_type: str
    address: str
    device_type: str | None = None


@dataclass(frozen=True, slots=True)
class SrIov:
    vf_count: int = 0
    trustedmode: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """``hardware_slaves``: aliases or device names; ``slave_selectors`` the same, resolved. ``sriov``: None is off."""

    name: str
    network_link: str | None = None
    hardware_slaves: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    sriov: SrIov | None = None
    slave_selectors: tuple[SlaveSelector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProfile:
    """A named set of settings, as written: nothing inherited. ``oob_parameters`` hold credentials, so never in repr."""

    name: str
    host_profile: str | None = None
    hardware_profile: str | None = None
    primary_network: str | None = None
    oob_type: str | None = None
    oob_parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    image: str | None = None
    kernel: str | None = None
    kernel_params: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    owner_data: Mapping[str, str] = field(default_factory=dict)
    rack: str | None = None
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    physical_devices: Mapping[str, PhysicalDevice] = field(default_factory=dict)
    volume_groups: Mapping[str, VolumeGroup] = field(default_factory=dict)
