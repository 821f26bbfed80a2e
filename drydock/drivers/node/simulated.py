"""The simulated site as a node provisioner, over its HTTP. What it speaks is in ``docs/reference/simulator.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self, TypeVar

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
from drydock.drivers.node.simulated_connector import SimulatedConnector
from drydock.errors import ConfigurationError, DriverRefused
from drydock.model.node_summary import NodeSummary

Answer = TypeVar("Answer")


class SimulatedProvisioner:
    name = "simulated"
    at_once = 100

    def __init__(self, *, url: str, timeout: float = 30.0) -> None:
        """``url``: of the simulator. ``timeout``: seconds for each request. Raises ``ConfigurationError``."""
        self._connector = SimulatedConnector(url, timeout)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Options ``url`` and ``timeout``. Raises ``ConfigurationError``."""
        given = {name: value for name, value in options.items() if value is not None}
        unknown = sorted(given.keys() - {"url", "timeout"})
        if unknown:
            raise ConfigurationError(f"simulated: there is no option {unknown[0]!r}; there are url, timeout")
        url, timeout = given.get("url"), given.get("timeout", 30.0)
        if not isinstance(url, str):
            raise ConfigurationError("simulated: the option url is needed, the http(s) address of the simulator")
        if not isinstance(timeout, int | float):
            raise ConfigurationError("simulated: the option timeout must be a number of seconds")
        return cls(url=url, timeout=timeout)

    def check(self) -> None:
        self._connector.request("GET", ())

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        answer = self._connector.request("PUT", ("site",), asdict(site))
        return _understood(lambda: _progress(answer))

    def identify(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("POST", ("identify",), dict.fromkeys(node.name for node in nodes))

    def configure_hardware(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("POST", ("commission",), dict.fromkeys(node.name for node in nodes))

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("PUT", ("settings", "networking"), {node.name: node.networking for node in nodes})

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("PUT", ("settings", "storage"), {node.name: node.storage for node in nodes})

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return self._ask("PUT", ("settings", "platform"), {node.name: _platform(node) for node in nodes})

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        wanted = {
            deployment.node: {"id": deployment.id, "user_data": deployment.user_data} for deployment in deployments
        }
        return self._ask("PUT", ("deployments",), wanted)

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        answer = self._connector.request("POST", ("observations",), {"nodes": list(nodes)})
        return _understood(lambda: {name: _observation(name, answer[name]) for name in nodes})

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        return self._ask("POST", ("destroy",), dict.fromkeys(nodes))

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
    return {"image": node.image, "kernel": node.kernel, "kernel_params": node.kernel_params, "tags": list(node.tags)}


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


def _understood(read: Callable[[], Answer]) -> Answer:
    """An answer of another shape than agreed will not change by asking again."""
    try:
        return read()
    except (KeyError, TypeError, ValueError) as exc:
        raise DriverRefused(f"simulated: the simulator's answer is not understood: {type(exc).__name__}") from exc
