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
    NodeSummary,
    Observation,
    Progress,
    ProgressState,
    ProvisionedNode,
    ProvisionedSite,
)
from drydock.drivers.node.simulated_connector import SimulatedConnector
from drydock.errors import ConfigurationError, DriverRefused

Answer = TypeVar("Answer")


class SimulatedProvisioner:
    name = "simulated"

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
        return self._progress("PUT", ("site",), asdict(site))

    def identify(self, node: ProvisionedNode) -> Progress:
        return self._progress("POST", ("nodes", node.name, "identity"))

    def configure_hardware(self, node: ProvisionedNode) -> Progress:
        return self._progress("POST", ("nodes", node.name, "hardware"))

    def apply_networking(self, node: ProvisionedNode) -> Progress:
        return self._progress("PUT", ("nodes", node.name, "settings", "networking"), node.networking)

    def apply_storage(self, node: ProvisionedNode) -> Progress:
        return self._progress("PUT", ("nodes", node.name, "settings", "storage"), node.storage)

    def apply_platform(self, node: ProvisionedNode) -> Progress:
        platform = {
            "image": node.image,
            "kernel": node.kernel,
            "kernel_params": node.kernel_params,
            "tags": list(node.tags),
        }
        return self._progress("PUT", ("nodes", node.name, "settings", "platform"), platform)

    def deploy(self, deployment: Deployment) -> Progress:
        document = {"node": deployment.node, "user_data": deployment.user_data}
        return self._progress("PUT", ("deployments", deployment.id), document)

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        answer = self._connector.request("POST", ("observations",), {"nodes": list(nodes)})
        return _understood(lambda: {name: _observation(name, answer[name]) for name in nodes})

    def destroy(self, node: str) -> Progress:
        return self._progress("DELETE", ("nodes", node))

    def list_nodes(self) -> Sequence[NodeSummary]:
        answer = self._connector.request("GET", ("nodes",))
        return _understood(lambda: [NodeSummary(**row) for row in answer])

    def list_images(self) -> Sequence[Image]:
        answer = self._connector.request("GET", ("images",))
        return _understood(lambda: [Image(row["name"], tuple(row["kernels"])) for row in answer])

    def _progress(self, method: str, path: tuple[str, ...], document: Mapping[str, Any] | None = None) -> Progress:
        answer = self._connector.request(method, path, document)
        return _understood(lambda: Progress(ProgressState(answer["state"]), answer["reason"]))


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
