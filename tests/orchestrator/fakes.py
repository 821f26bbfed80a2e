"""Drivers whose hardware is a dictionary: at once, without a network, failing when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from drydock.drivers.node.base import (
    NO_NODES,
    Image,
    NodeState,
    Observation,
    ProvisionerCapabilities,
    Verb,
)
from drydock.drivers.node.records import Deployment, ProvisionedNode, ProvisionedSite
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.progress import Progress, ProgressState, pending
from drydock.errors import DriverRefused
from drydock.model.cleaning import Cleaning
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.node_summary import NodeSummary

DONE = Progress(ProgressState.SUCCEEDED)


class FakeBmcs:
    """Out-of-band driver. ``resets`` counts how often a machine was switched on."""

    name = "redfish"

    def __init__(self) -> None:
        self.capabilities = OobCapabilities(
            boot_devices=frozenset(BootDevice), boot_modes=frozenset(BootMode), by_hand=False
        )
        self.power: dict[str, PowerState] = {}
        self.boot: dict[str, tuple[BootDevice, BootMode | None]] = {}
        self.resets: Counter[str] = Counter()

    def power_state(self, bmc: BmcAccess) -> PowerState:
        return self.power.get(bmc.node, PowerState.OFF)

    def power_on(self, bmc: BmcAccess) -> Progress:
        """Not at once: it is seen by the next call."""
        if self.power_state(bmc) is PowerState.ON:
            return DONE
        self.resets[bmc.node] += 1
        self.power[bmc.node] = PowerState.ON
        return pending("waiting for the BMC to switch the power on", look_in=1)

    def power_off(self, bmc: BmcAccess) -> Progress:
        if self.power_state(bmc) is PowerState.OFF:
            return DONE
        self.power[bmc.node] = PowerState.OFF
        return pending("waiting for the BMC to switch the power off", look_in=1)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        self.boot[bmc.node] = (device, mode)
        return DONE

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        return HardwareFacts(product="dictionary")


class FakeProvisioner:
    """Installs at once. ``installs`` counts real starts, so that a repeated ``deploy`` shows.

    ``refused``: what ``apply_networking`` answers for a node instead of succeeding; ``asked``: its requests' nodes.
    ``again``: for what nodes were looked into though they were known.
    ``lacks``: what is unsupported, by node; ``details``: of observations, by node.
    ``cleanings``: what is known of them, by node.
    """

    name = "fake"

    def __init__(self) -> None:
        self.capabilities = ProvisionerCapabilities(owns_power=False, at_once=dict.fromkeys(Verb, 10))
        self.lacks: dict[str, list[str]] = {}
        self.details: dict[str, str] = {}
        self.stopped: list[str] = []
        self.deployments: dict[str, Deployment] = {}
        self.installs: Counter[str] = Counter()
        self.states: dict[str, NodeState] = {}
        self.destroyed: set[str] = set()
        self.cleanings: dict[str, Cleaning] = {}
        self.outcome = NodeState.DEPLOYED
        self.refused: dict[str, Progress] = {}
        self.stumbles: dict[str, Exception] = {}
        self.asked: list[list[str]] = []
        self.site: ProvisionedSite | None = None
        self.again: dict[str, str] = {}
        self.images: list[Image] | None = [Image("jammy", ("ga-22.04", "hwe-22.04"))]

    def check(self) -> None:
        return None

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        self.site = site
        return DONE

    def unsupported(self, node: ProvisionedNode) -> Sequence[str]:
        return self.lacks.get(node.name, [])

    def enroll(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        for node in nodes:
            self.states.setdefault(node.name, NodeState.DISCOVERED)
        return {node.name: DONE for node in nodes}

    def configure_hardware(
        self, nodes: Sequence[ProvisionedNode], again: Mapping[str, str] = NO_NODES
    ) -> Mapping[str, Progress]:
        self.again.update(again)
        for node in nodes:
            self.states[node.name] = NodeState.READY
        return {node.name: DONE for node in nodes}

    def facts(self, nodes: Sequence[str]) -> Mapping[str, HardwareFacts]:
        return {node: HardwareFacts(cpu_count=8) for node in nodes if self.states.get(node) is NodeState.READY}

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        names = [node.name for node in nodes]
        self.asked.append(names)
        for name in names:
            if name in self.stumbles:
                raise self.stumbles[name]
        return {name: self.refused.get(name, DONE) for name in names}

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: DONE for node in nodes}

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: DONE for node in nodes}

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        for deployment in deployments:
            node = deployment.node.name
            current = self.deployments.get(node)
            if current is None or current.id != deployment.id:
                self.deployments[node] = deployment
                self.installs[node] += 1
        return {deployment.node.name: DONE for deployment in deployments}

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        return {node: self._observed(node) for node in nodes}

    def _observed(self, node: str) -> Observation:
        deployment = self.deployments.get(node)
        if deployment is None:
            return Observation(node, self.states.get(node, NodeState.UNKNOWN), detail=self.details.get(node, ""))
        return Observation(node, self.outcome, deployment_id=deployment.id)

    def stop(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        self.stopped += nodes
        return dict.fromkeys(nodes, DONE)

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        for node in nodes:
            self.deployments.pop(node, None)
            self.states.pop(node, None)
            self.destroyed.add(node)
        return dict.fromkeys(nodes, DONE)

    def cleaned(self, nodes: Sequence[str]) -> Mapping[str, Cleaning]:
        return {node: self.cleanings[node] for node in nodes if node in self.cleanings}

    def list_nodes(self) -> Sequence[NodeSummary]:
        names = {**self.states, **self.deployments}
        return [NodeSummary(name, 0, 0, str(self._observed(name).state), "", "unknown", "", "") for name in names]

    def list_images(self) -> Sequence[Image] | None:
        return self.images


class FakeLabels:
    name = "fake"

    def __init__(self) -> None:
        self.given: dict[str, dict[str, str]] = {}
        self.refuses: str | None = None

    def check(self) -> None:
        if self.refuses:
            raise DriverRefused(self.refuses)

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        self.given[node] = dict(labels)
