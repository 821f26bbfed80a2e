"""The simulated site as a node provisioner, over its HTTP. What it speaks is in ``docs/reference/simulator.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self, TypeVar

from drydock.drivers.node.base import (
    NO_NODES,
    Image,
    NodeState,
    Observation,
    ProvisionerCapabilities,
    Verb,
)
from drydock.drivers.node.records import Deployment, ProvisionedNode, ProvisionedSite, document
from drydock.drivers.node.simulated_connector import SimulatedConnector
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import ConfigurationError, DriverRefused
from drydock.model.cleaning import Cleaning
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts
from drydock.model.node_summary import NodeSummary

Answer = TypeVar("Answer")
NODES_OF_A_REQUEST = 100
REQUEST_SECONDS = 30.0


class SimulatedProvisioner:
    name = "simulated"
    capabilities = ProvisionerCapabilities(
        owns_power=False, at_once=MappingProxyType(dict.fromkeys(Verb, NODES_OF_A_REQUEST))
    )

    def __init__(self, *, url: str, timeout: float) -> None:
        """``url``: of the simulator. ``timeout``: seconds for each request. Raises ``ConfigurationError``."""
        self._connector = SimulatedConnector(url, timeout)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """The option ``url``. Raises ``ConfigurationError``."""
        unknown = sorted(options.keys() - {"url"})
        if unknown:
            raise ConfigurationError(f"simulated: there is no option {unknown[0]!r}; there is url")
        url = options.get("url")
        if not isinstance(url, str):
            raise ConfigurationError("simulated: the option url is needed, the http(s) address of the simulator")
        return cls(url=url, timeout=REQUEST_SECONDS)

    def check(self) -> None:
        self._connector.request("GET", ())

    def unsupported(self, node: ProvisionedNode) -> Sequence[str]:
        """Nothing: what is not played is kept to be looked at."""
        return ()

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        answer = self._connector.request("PUT", ("site",), document(site))
        return _understood(lambda: _progress(answer))

    def enroll(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("POST", ("identify",), dict.fromkeys(node.name for node in nodes))

    def configure_hardware(
        self, nodes: Sequence[ProvisionedNode], again: Mapping[str, str] = NO_NODES
    ) -> Mapping[str, Progress]:
        """``again`` is nothing to it: hardware that is played does not change."""
        return self._ask("POST", ("commission",), dict.fromkeys(node.name for node in nodes))

    def facts(self, nodes: Sequence[str]) -> Mapping[str, HardwareFacts]:
        answer = self._connector.request("POST", ("facts",), {"nodes": list(nodes)})
        return _understood(lambda: {name: _facts(answer[name]) for name in nodes if answer[name] is not None})

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        wanted = {node.name: {"interfaces": document(node.interfaces)} for node in nodes}
        return self._ask("PUT", ("settings", "networking"), wanted)

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("PUT", ("settings", "storage"), {node.name: document(node.storage) for node in nodes})

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("PUT", ("settings", "platform"), {node.name: _platform(node) for node in nodes})

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        wanted = {
            deployment.node.name: {
                "id": deployment.id,
                "user_data": deployment.user_data,
                "meta_data": document(deployment.meta_data),
            }
            for deployment in deployments
        }
        return self._ask("PUT", ("deployments",), wanted)

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        answer = self._connector.request("POST", ("observations",), {"nodes": list(nodes)})
        return _understood(lambda: {name: _observation(name, answer[name]) for name in nodes})

    def stop(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        return self._ask("POST", ("stop",), dict.fromkeys(nodes))

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        return self._ask("POST", ("destroy",), dict.fromkeys(nodes))

    def cleaned(self, nodes: Sequence[str]) -> Mapping[str, Cleaning]:
        """Nothing: no disk is erased."""
        return {}

    def list_nodes(self) -> Sequence[NodeSummary]:
        answer = self._connector.request("GET", ("nodes",))
        return _understood(lambda: [NodeSummary(**row) for row in answer])

    def list_images(self) -> Sequence[Image]:
        answer = self._connector.request("GET", ("images",))
        return _understood(lambda: [Image(row["name"], tuple(row["kernels"])) for row in answer])

    def _ask(self, method: str, path: tuple[str, ...], nodes: Mapping[str, Any]) -> Mapping[str, Progress]:
        """``nodes``: by name, what is wanted of each."""
        answer = self._connector.request(method, path, {"nodes": nodes})
        return _understood(lambda: {name: _progress(answer[name]) for name in nodes})


def _platform(node: ProvisionedNode) -> Mapping[str, Any]:
    return {
        "image": node.image,
        "kernel": node.kernel,
        "kernel_params": node.kernel_params,
        "tags": list(node.tags),
        "hardware": document(node.hardware),
    }


def _progress(row: Mapping[str, Any]) -> Progress:
    return Progress(ProgressState(row["state"]), row["reason"])


def _observation(name: str, row: Mapping[str, Any]) -> Observation:
    contact = row["last_contact"]
    return Observation(
        node=name,
        state=NodeState(row["state"]),
        deployment_id=row["deployment_id"],
        detail=row["detail"],
        last_contact=None if contact is None else datetime.fromisoformat(contact),
    )


def _facts(row: Mapping[str, Any]) -> HardwareFacts:
    """What is not in the row is not known."""
    named = {field.name for field in fields(HardwareFacts)} - {"disks", "nics"}
    return HardwareFacts(
        **{name: value for name, value in row.items() if name in named},
        disks=tuple(DiskFacts(**disk) for disk in row["disks"]),
        nics=tuple(NicFacts(**nic) for nic in row["nics"]),
    )


def _understood(read: Callable[[], Answer]) -> Answer:
    """An answer of another shape than agreed will not change by asking again."""
    try:
        return read()
    except (KeyError, TypeError, ValueError) as exc:
        raise DriverRefused(f"simulated: the simulator's answer is not understood: {type(exc).__name__}") from exc
