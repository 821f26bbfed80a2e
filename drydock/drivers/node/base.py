"""The protocol of node provisioners: what installs operating systems (MAAS, Ironic, a person)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from drydock.drivers.node.records import Deployment, ProvisionedNode, ProvisionedSite
from drydock.drivers.progress import Progress
from drydock.model.cleaning import Cleaning
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.node_summary import NodeSummary

NO_NODES: Mapping[str, str] = MappingProxyType({})


class NodeState(StrEnum):
    """Where a machine is in its life, as far as the provisioner knows.

    ``unknown``: never seen. ``powered_off``, ``discovered``: known, not ready. ``ready``: may be deployed.
    ``deploying``, ``deployed``, ``failed``: of the deployment named beside it.
    ``releasing``: a deployment is being taken down. ``cleaning``: its disks are being erased.
    ``busy``: something else is being done to it, such as an inspection; the detail says what.
    ``maintenance``: an operator of the provisioner wants it left alone; the detail says why.
    """

    UNKNOWN = "unknown"
    POWERED_OFF = "powered_off"
    DISCOVERED = "discovered"
    READY = "ready"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"
    RELEASING = "releasing"
    CLEANING = "cleaning"
    BUSY = "busy"
    MAINTENANCE = "maintenance"

    @property
    def passing(self) -> bool:
        """Whether nothing can be begun in this state, and waiting may end it."""
        return self in (NodeState.RELEASING, NodeState.CLEANING, NodeState.BUSY, NodeState.MAINTENANCE)


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one machine. ``deployment_id`` as given to ``deploy``; ``last_contact``: UTC, None if never."""

    node: str
    state: NodeState
    deployment_id: str | None = None
    detail: str = ""
    last_contact: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An operating system that may be installed. ``kernels``: what a node's ``platform.kernel`` may name with it."""

    name: str
    kernels: tuple[str, ...]


class Verb(StrEnum):
    """The verbs that take several nodes and change something."""

    ENROLL = "enroll"
    CONFIGURE_HARDWARE = "configure_hardware"
    APPLY_NETWORKING = "apply_networking"
    APPLY_STORAGE = "apply_storage"
    APPLY_PLATFORM = "apply_platform"
    DEPLOY = "deploy"
    STOP = "stop"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class ProvisionerCapabilities:
    """What workflows read before they act.

    ``owns_power``: it switches machines on and off and chooses what they boot, always; then no out-of-band driver does,
    and none is needed. ``at_once``: how many nodes one call of a verb takes; a verb that is not in it takes one, since
    it makes a request for each node, and slots do that side by side.
    """

    owns_power: bool
    at_once: Mapping[Verb, int]


class NodeProvisioner(Protocol):
    """Idempotent verbs. All raise ``DriverUnavailable`` (try again), ``DriverBusy`` (not yet: the verb is repeated
    later, and nothing failed) or ``DriverRefused`` (the provisioner's final no).

    Verbs take several nodes, at most as many as the capabilities say, and answer for each by its name: what is wrong
    with one node is its ``failed``, and no reason to raise; one that the provisioner is busy with is ``pending``.
    A verb that cannot finish at once answers ``pending`` and is repeated; repeating it never starts work twice.
    A verb that has nothing to do succeeds, and says what becomes of it ("goes into the config drive").
    """

    name: str
    capabilities: ProvisionerCapabilities

    def check(self) -> None:
        """Raise unless the provisioner answers and is able to work."""
        ...

    def unsupported(self, node: ProvisionedNode) -> Sequence[str]:
        """What the design wants of this node and the provisioner cannot do, one sentence each. Makes no request."""
        ...

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        """Make known what the nodes will need: networks, tags, repositories. What is there already stays."""
        ...

    def enroll(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        """Done when the provisioner knows the machine and can manage it.

        One that finds machines by itself waits until this one was seen (it was switched on to boot from the network);
        one that is given machines adds it, with the BMC access of the record.
        """
        ...

    def configure_hardware(
        self, nodes: Sequence[ProvisionedNode], again: Mapping[str, str] = NO_NODES
    ) -> Mapping[str, Progress]:
        """Inspect, commission, clean: whatever makes the machine ready to be deployed; done when it is.

        ``again``: by name, nodes that are looked into though they are known, as their hardware may have changed, and
        for what: once for each such text, however often the verb is repeated. One whose facts are always new has
        nothing to do for it.
        """
        ...

    def facts(self, nodes: Sequence[str]) -> Mapping[str, HardwareFacts]:
        """What the provisioner found in these machines. Those that it never looked into are left out."""
        ...

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]: ...

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]: ...

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        """Image, kernel, kernel parameters, tags."""
        ...

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        """Start installations, of one node each; ``succeeded`` means started. Watch them with ``observe``."""
        ...

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        """One request however many nodes; every name given is in the answer, those never seen as ``unknown``."""
        ...

    def stop(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        """Done when these machines are off, and installations of theirs go no further. Disks are left as they are.

        Steps call it only where the provisioner owns power.
        """
        ...

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        """Erase and release. A node that is unknown succeeds."""
        ...

    def cleaned(self, nodes: Sequence[str]) -> Mapping[str, Cleaning]:
        """What is known of the cleaning of machines that ``destroy`` has taken down. Those that it knows nothing of
        are left out: all of them where the provisioner has no proof.
        """
        ...

    def list_nodes(self) -> Sequence[NodeSummary]:
        """All machines that were seen, by the names that ``observe`` knows, in their capitals."""
        ...

    def list_images(self) -> Sequence[Image] | None:
        """Everything that can be deployed now; what is still being imported is not in it. None: unknown."""
        ...
