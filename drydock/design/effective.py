"""Effective nodes: inherits settings and resolves hardware and kernel parameters; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from drydock.design import device_aliases, kernel_params
from drydock.design.broken_documents import BrokenDocuments
from drydock.design.documents import Document, reference, unreadable
from drydock.design.inheritance import Lineage
from drydock.design.kinds.host import SharedParts, addresses, interfaces, settings
from drydock.design.messages import MAX_DOCUMENTS, listed
from drydock.design.similar import Similar
from drydock.errors import DesignInvalid
from drydock.model.hardware import HardwareProfile
from drydock.model.message import Level, ValidationMessage
from drydock.model.network import Network
from drydock.model.node import Node

_Data = Mapping[str, Any]
_NONE: _Data = MappingProxyType({})


class NodeCompiler:
    """Compiles the nodes of one design. Nodes that depend on ``broken`` documents get no message of their own."""

    def __init__(
        self,
        profiles: Mapping[str, _Data],
        hardware: Mapping[str, HardwareProfile],
        networks: Mapping[str, Network],
        broken: BrokenDocuments,
    ) -> None:
        self._profiles = profiles
        self._lineage = Lineage(profiles)
        self._shared = SharedParts()
        self._hardware = hardware
        self._networks = networks
        self._broken = broken
        self._similar = Similar(hardware)
        self._rests: dict[str | None, bool] = {}
        self._complaints: dict[tuple[Level, str, str | None, str], list[str]] = {}

    def compile(self, document: Document) -> Node | None:
        """The effective node; None if it cannot be compiled, with the reason in ``complaints``."""
        try:
            data = self._lineage.effective(document.data)
            return self._node(document, data, self._hardware_of(data))
        except DesignInvalid as exc:
            if not self._rests_on_broken(document.data):
                # An error in the node's own document is reported there, an inherited one at its profile.
                parent = document.data.get("host_profile")
                own = parent not in self._profiles or "hardware_profile" in document.data or "addressing" in exc.message
                self._complain(Level.ERROR, exc.message, document.name, None if own else parent)
            return None

    def complaints(self) -> Iterator[ValidationMessage]:
        """Errors and warnings about the compiled nodes; one message for all nodes that inherit the cause."""
        for (level, text, profile, _), nodes in self._complaints.items():
            documents = [reference("BaremetalNode", name) for name in nodes[: MAX_DOCUMENTS // 2]]
            if profile is not None and len(nodes) > 1:
                documents.append(reference("HostProfile", profile))
            names = listed(nodes)
            if level is Level.ERROR:
                message = f"Error compiling BaremetalNode {names}: {text}"
                yield unreadable(message, *documents, rule="inheritance")
            else:
                message = f"BaremetalNode {names}: {text}"
                yield unreadable(message, *documents, level=level, rule="kernel-parameter-reference")

    def _complain(self, level: Level, text: str, node: str, profile: str | None) -> None:
        key = (level, text, profile, node if profile is None else "")
        self._complaints.setdefault(key, []).append(node)

    def unusable_profiles(self) -> Iterator[ValidationMessage]:
        """Warnings about profiles. An unused profile may be unfinished; nodes that use it have errors."""
        for name, data in self._profiles.items():
            try:
                if "host_profile" in data:
                    self._lineage.profile(data["host_profile"])
            except DesignInvalid as exc:
                if not self._rests_on_broken(data):
                    text = f"HostProfile {name} cannot be used: {exc.message}"
                    yield unreadable(text, reference("HostProfile", name), level=Level.WARNING, rule="inheritance")

    def _node(self, document: Document, data: _Data, hardware: HardwareProfile) -> Node:
        fields = settings(data, self._shared)
        kernel = self._shared.get(
            fields["kernel_params"], f"kernel on {hardware.name}", lambda params: _Kernel.of(params, hardware)
        )
        fields["kernel_params"] = kernel.params
        network = self._networks.get(fields["primary_network"])
        node = Node(
            name=document.name,
            boot_mac=data.get("metadata", {}).get("boot_mac"),
            addresses=addresses(data),
            interfaces=self._shared.get(
                data.get("interfaces", _NONE),
                f"interfaces on {hardware.name}",
                lambda found: device_aliases.resolve(interfaces(found), hardware),
            ),
            domain=network.dns_domain if network is not None else "local",
            kernel_param_string=kernel.line,
            **fields,
        )
        for found in kernel.unknown:
            text = f"kernel parameter reference {found:.100} does not exist"
            self._complain(Level.WARNING, text, node.name, node.host_profile)
        return node

    def _hardware_of(self, data: _Data) -> HardwareProfile:
        name = data.get("hardware_profile")
        if name is None:
            raise DesignInvalid("hardware_profile is not set; set it here or in a host profile")
        if name not in self._hardware:
            raise DesignInvalid(f"HardwareProfile {name} does not exist{self._similar.hint(name)}")
        return self._hardware[name]

    def _rests_on_broken(self, data: _Data) -> bool:
        passed: list[str] = []
        rests = False
        while True:
            hardware, parent = data.get("hardware_profile"), data.get("host_profile")
            lost = hardware is not None and hardware not in self._hardware
            if lost and self._broken.explains(reference("HardwareProfile", str(hardware))):
                rests = True
            elif parent in self._rests:
                rests = self._rests[parent]
            elif parent is not None and parent not in self._profiles:
                rests = self._broken.explains(reference("HostProfile", parent))
            elif parent is not None:
                # Provisional value, which ends cycles.
                self._rests[parent] = False
                passed.append(parent)
                data = self._profiles[parent]
                continue
            self._rests.update(dict.fromkeys(passed, rests))
            return rests


@dataclass(frozen=True, slots=True)
class _Kernel:
    """Parameters with references resolved, the command line, and references that do not exist."""

    params: Mapping[str, str]
    line: str
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, params: Mapping[str, str], hardware: HardwareProfile) -> Self:
        resolved, unknown = kernel_params.resolve(params, hardware)
        return cls(MappingProxyType(dict(resolved)), kernel_params.command_line(resolved), unknown)
