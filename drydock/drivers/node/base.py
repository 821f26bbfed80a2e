"""What Drydock asks of a node provisioner: the thing that installs operating systems (MAAS, Ironic, …)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from drydock.model.node_summary import NodeSummary


class ProgressState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """The answer of a verb. ``reason`` is for an operator: what it waits for, or why it failed."""

    state: ProgressState
    reason: str = ""


class NodeState(StrEnum):
    """Where a machine is in its life, as far as the provisioner knows.

    ``unknown``: never seen. ``powered_off``/``discovered``: seen, not prepared. ``ready``: commissioned.
    ``deploying``, ``deployed``, ``failed``: of the deployment named beside it.
    """

    UNKNOWN = "unknown"
    POWERED_OFF = "powered_off"
    DISCOVERED = "discovered"
    READY = "ready"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one machine. ``deployment_id`` as given to ``deploy``; ``last_contact``: UTC, None if never."""

    node: str
    state: NodeState
    deployment_id: str | None = None
    detail: str = ""
    last_contact: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProvisionedSite:
    """What all nodes share, as the provisioner needs it; JSON-shaped, with the keys of the design documents.

    ``networks = {name: {"cidr", "vlan", "mtu", "routedomain", "gateway", "dns_domain", "dns_servers",
    "ranges": [{"type", "start", "end"}], "dhcp_relay": {"self_ip", "upstream_target"}}}``,
    ``links = {name: {"mtu", "trunk_mode", "native_network", "networks": [..], "labels"}}``,
    ``tags = {name: {"type", "definition"}}``. ``repositories`` is None if the design leaves them alone.
    """

    networks: Mapping[str, Any]
    links: Mapping[str, Any]
    tags: Mapping[str, Any]
    repositories: Mapping[str, Any] | None
    remove_unlisted: bool
    authorized_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProvisionedNode:
    """A node as the provisioner needs it.

    ``networking`` and ``storage`` are JSON-shaped: ``networking = {"interfaces": {name: {"mtu": int, "slaves": [..],
    "bond_mode": str, "networks": [{"name", "cidr", "vlan", "address", "routes"}]}}}``,
    ``storage = {"disks": {...}, "volume_groups": {...}}`` with the keys of the design documents.
    ``kernel_params`` is the finished command line. ``packages`` maps package to version or None.
    """

    name: str
    domain: str
    boot_mac: str | None
    image: str | None
    kernel: str | None
    kernel_params: str
    tags: tuple[str, ...]
    networking: Mapping[str, Any]
    storage: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One installation of one node. Giving the same ``id`` twice starts nothing twice. ``user_data`` holds a key."""

    id: str
    node: str
    user_data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Image:
    """An operating system that may be installed. ``kernels``: what a node's ``platform.kernel`` may name with it."""

    name: str
    kernels: tuple[str, ...]


class NodeProvisioner(Protocol):
    """Idempotent verbs. All raise ``DriverUnavailable`` (try again) or ``DriverRefused`` (the provisioner's final no).

    Verbs take several nodes, at most ``at_once``, and answer for each by its name: what is wrong with one node is its
    ``failed``, and no reason to raise. A provisioner that has a request for many nodes needs but one for all of them;
    where each node takes a request of its own, ``at_once`` is 1, and the nodes are asked about side by side.
    A verb that cannot finish at once answers ``pending`` and is asked again; asking again never starts work twice.
    """

    name: str
    at_once: int

    def check(self) -> None:
        """Raise unless the provisioner answers and is able to work."""
        ...

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        """Make known what the nodes will need: networks, tags, repositories. What is there already stays."""
        ...

    def identify(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        """Done when the provisioner has seen the machine (after it was powered on to boot from the network)."""
        ...

    def configure_hardware(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        """Commission the machine: inventory, firmware, disks; done when it is ready to be deployed."""
        ...

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]: ...

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]: ...

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]: ...

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        """Start installations, of one node each; ``succeeded`` means started. Watch them with ``observe``."""
        ...

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        """One question however many nodes; every name asked for is in the answer, those never seen as ``unknown``."""
        ...

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        """Erase and release. A node that is unknown succeeds."""
        ...

    def list_nodes(self) -> Sequence[NodeSummary]: ...

    def list_images(self) -> Sequence[Image]:
        """Everything that can be deployed now; what is still being imported is not in it."""
        ...
