"""All parts of one design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drydock.model.boot_asset import BootActionDesign
from drydock.model.hardware import HardwareProfile
from drydock.model.host_profile import HostProfile
from drydock.model.network import Network, NetworkLink
from drydock.model.node import Node


@dataclass(frozen=True, slots=True)
class TagDefinition:
    """A dynamic tag: nodes whose hardware matches ``definition``."""

    tag: str
    type: str
    definition: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A package repository. None for a list: the design does not set it."""

    name: str
    url: str | None
    repo_type: str | None
    gpgkey: str | None = None
    distributions: tuple[str, ...] | None = None
    subrepos: tuple[str, ...] | None = None
    components: tuple[str, ...] | None = None
    arches: tuple[str, ...] = ("amd64",)
    options: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """``repositories`` is None if the design does not manage them; ``remove_unlisted``: delete all others."""

    name: str
    tag_definitions: tuple[TagDefinition, ...] = ()
    authorized_keys: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] | None = None
    remove_unlisted: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    name: str
    mgmt_ip: str | None = None
    sdn_api_url: str | None = None


@dataclass(frozen=True, slots=True)
class Rack:
    name: str
    tor_switches: tuple[Switch, ...] = ()
    location: Mapping[str, str] = field(default_factory=dict)
    local_networks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDesign:
    """A compiled site. Every mapping is by name, in the order of the documents; nodes are effective nodes."""

    region: Region | None = None
    racks: Mapping[str, Rack] = field(default_factory=dict)
    network_links: Mapping[str, NetworkLink] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    hardware_profiles: Mapping[str, HardwareProfile] = field(default_factory=dict)
    host_profiles: Mapping[str, HostProfile] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    boot_actions: tuple[BootActionDesign, ...] = ()
