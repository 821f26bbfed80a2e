"""Drivers whose hardware is a dictionary: at once, without a network, failing when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from drydock.drivers.node.base import (
    Deployment,
    Image,
    NodeState,
    NodeSummary,
    Observation,
    Progress,
    ProgressState,
    ProvisionedNode,
    ProvisionedSite,
)
from drydock.drivers.oob.base import Bmc, BootDevice, PowerState

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
    """Installs at once. ``installs`` counts real starts, so that a repeated ``deploy`` shows."""

    name = "fake"

    def __init__(self) -> None:
        self.deployments: dict[str, Deployment] = {}
        self.installs: Counter[str] = Counter()
        self.states: dict[str, NodeState] = {}
        self.destroyed: set[str] = set()
        self.outcome = NodeState.DEPLOYED
        self.site: ProvisionedSite | None = None
        self.images = [Image("jammy", ("ga-22.04", "hwe-22.04"))]

    def check(self) -> None:
        return None

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        self.site = site
        return DONE

    def identify(self, node: ProvisionedNode) -> Progress:
        self.states.setdefault(node.name, NodeState.DISCOVERED)
        return DONE

    def configure_hardware(self, node: ProvisionedNode) -> Progress:
        self.states[node.name] = NodeState.READY
        return DONE

    def apply_networking(self, node: ProvisionedNode) -> Progress:
        return DONE

    def apply_storage(self, node: ProvisionedNode) -> Progress:
        return DONE

    def apply_platform(self, node: ProvisionedNode) -> Progress:
        return DONE

    def deploy(self, deployment: Deployment) -> Progress:
        current = self.deployments.get(deployment.node)
        if current is None or current.id != deployment.id:
            self.deployments[deployment.node] = deployment
            self.installs[deployment.node] += 1
        return DONE

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        return {node: self._observed(node) for node in nodes}

    def _observed(self, node: str) -> Observation:
        deployment = self.deployments.get(node)
        if deployment is None:
            return Observation(node, self.states.get(node, NodeState.UNKNOWN))
        return Observation(node, self.outcome, deployment_id=deployment.id)

    def destroy(self, node: str) -> Progress:
        self.deployments.pop(node, None)
        self.states.pop(node, None)
        self.destroyed.add(node)
        return DONE

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
