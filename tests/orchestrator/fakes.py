"""Drivers whose hardware is a dictionary: at once, without a network, failing when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from drydock.drivers.node.base import (
    Deployment,
    Image,
    NodeState,
    Observation,
    Progress,
    ProgressState,
    ProvisionedNode,
    ProvisionedSite,
)
from drydock.drivers.oob.base import Bmc, BootDevice, PowerState
from drydock.model.node_summary import NodeSummary

DONE = Progress(ProgressState.SUCCEEDED)


class FakeBmcs:
    """Out-of-band driver. ``resets`` counts how often a machine was switched on."""

    name = "redfish"

    def __init__(self) -> None:
        self.power: dict[str, PowerState] = {}
        self.boot: dict[str, BootDevice] = {}
        self.resets: Counter[str] = Counter()

    def power_state(self, bmc: Bmc) -> PowerState:
        return self.power.get(bmc.node, PowerState.OFF)

    def power_on(self, bmc: Bmc) -> None:
        if self.power_state(bmc) is PowerState.OFF:
            self.resets[bmc.node] += 1
        self.power[bmc.node] = PowerState.ON

    def power_off(self, bmc: Bmc) -> None:
        self.power[bmc.node] = PowerState.OFF

    def power_cycle(self, bmc: Bmc) -> None:
        self.power_off(bmc)
        self.power_on(bmc)

    def set_boot_device(self, bmc: Bmc, device: BootDevice, *, persistent: bool = False) -> None:
        self.boot[bmc.node] = device

    def interrogate(self, bmc: Bmc) -> Mapping[str, Any]:
        return {"model": "dictionary"}


class FakeProvisioner:
    """Installs at once. ``installs`` counts real starts, so that a repeated ``deploy`` shows.

    ``refused``: what ``apply_networking`` answers for a node instead of succeeding; ``asked``: its requests' nodes.
    """

    name = "fake"
    at_once = 10

    def __init__(self) -> None:
        self.deployments: dict[str, Deployment] = {}
        self.installs: Counter[str] = Counter()
        self.states: dict[str, NodeState] = {}
        self.destroyed: set[str] = set()
        self.outcome = NodeState.DEPLOYED
        self.refused: dict[str, Progress] = {}
        self.stumbles: dict[str, Exception] = {}
        self.asked: list[list[str]] = []
        self.site: ProvisionedSite | None = None
        self.images = [Image("jammy", ("ga-22.04", "hwe-22.04"))]

    def check(self) -> None:
        return None

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        self.site = site
        return DONE

    def identify(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        for node in nodes:
            self.states.setdefault(node.name, NodeState.DISCOVERED)
        return {node.name: DONE for node in nodes}

    def configure_hardware(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        for node in nodes:
            self.states[node.name] = NodeState.READY
        return {node.name: DONE for node in nodes}

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
            current = self.deployments.get(deployment.node)
            if current is None or current.id != deployment.id:
                self.deployments[deployment.node] = deployment
                self.installs[deployment.node] += 1
        return {deployment.node: DONE for deployment in deployments}

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        return {node: self._observed(node) for node in nodes}

    def _observed(self, node: str) -> Observation:
        deployment = self.deployments.get(node)
        if deployment is None:
            return Observation(node, self.states.get(node, NodeState.UNKNOWN))
        return Observation(node, self.outcome, deployment_id=deployment.id)

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        for node in nodes:
            self.deployments.pop(node, None)
            self.states.pop(node, None)
            self.destroyed.add(node)
        return dict.fromkeys(nodes, DONE)

    def list_nodes(self) -> Sequence[NodeSummary]:
        return []

    def list_images(self) -> Sequence[Image]:
        return self.images


class FakeLabels:
    name = "fake"

    def __init__(self) -> None:
        self.given: dict[str, dict[str, str]] = {}

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        self.given[node] = dict(labels)
