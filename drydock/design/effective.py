"""Effective nodes: everything inherited, hardware and kernel parameters resolved; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from drydock.design import device_aliases, kernel_params
from drydock.design.broken import Broken
from drydock.design.documents import Document, reference, unreadable
from drydock.design.inheritance import Lineage
from drydock.design.kinds.host import SharedParts, addresses, interfaces, settings
from drydock.errors import DesignInvalid
from drydock.model.hardware import HardwareProfile
from drydock.model.message import Level, ValidationMessage
from drydock.model.network import Network
from drydock.model.node import Node

_Data = Mapping[str, Any]
_NONE: _Data = MappingProxyType({})


class NodeCompiler:
    """Compiles the nodes of one design. ``broken`` documents have had their message; what needs them gets none."""

    def __init__(
        self,
        profiles: Mapping[str, _Data],
        hardware: Mapping[str, HardwareProfile],
        networks: Mapping[str, Network],
        broken: Broken,
    ) -> None:
        self._profiles = profiles
        self._lineage = Lineage(profiles)
        self._shared = SharedParts()
        self._hardware = hardware
        self._networks = networks
        self._broken = broken

    def compile(self, document: Document) -> tuple[Node | None, list[ValidationMessage]]:
        """The effective node and warnings about it, or None with the reason."""
        try:
            data = self._lineage.effective(document.data)
            hardware = self._hardware_of(data)
            return self._node(document.name, data, hardware), self._warnings(document, data, hardware)
        except DesignInvalid as exc:
            return None, [] if self._rests_on_broken(document.data) else [_failure(document, exc.message)]

    def unusable_profiles(self) -> Iterator[ValidationMessage]:
        """Warnings: a profile nobody uses may be unfinished; who uses it has an error of their own."""
        for name, data in self._profiles.items():
            try:
                if "host_profile" in data:
                    self._lineage.profile(data["host_profile"])
            except DesignInvalid as exc:
                if not self._rests_on_broken(data):
                    text = f"HostProfile {name} cannot be used: {exc.message}"
                    yield unreadable(text, reference("HostProfile", name), level=Level.WARNING, rule="inheritance")

    def _node(self, name: str, data: _Data, hardware: HardwareProfile) -> Node:
        fields = settings(data, self._shared)
        params, _ = kernel_params.resolve(fields["kernel_params"], hardware)
        fields["kernel_params"] = MappingProxyType(dict(params))
        network = self._networks.get(fields["primary_network"])
        return Node(
            name=name,
            boot_mac=data.get("metadata", {}).get("boot_mac"),
            addresses=addresses(data),
            interfaces=self._shared.get(
                data.get("interfaces", _NONE),
                f"interfaces on {hardware.name}",
                lambda found: device_aliases.resolve(interfaces(found), hardware),
            ),
            domain=network.dns_domain if network is not None else "local",
            kernel_param_string=kernel_params.command_line(params),
            **fields,
        )

    def _warnings(self, document: Document, data: _Data, hardware: HardwareProfile) -> list[ValidationMessage]:
        values = {key: str(value) for key, value in data.get("platform", {}).get("kernel_params", {}).items()}
        _, unknown = kernel_params.resolve(values, hardware)
        text = f"BaremetalNode {document.name}: kernel parameter reference"
        return [
            unreadable(
                f"{text} {found:.100} leads nowhere",
                document.ref,
                level=Level.WARNING,
                rule="kernel-parameter-reference",
            )
            for found in unknown
        ]

    def _hardware_of(self, data: _Data) -> HardwareProfile:
        name = data.get("hardware_profile")
        if name is None:
            raise DesignInvalid("hardware_profile is not set, neither here nor by a host profile")
        if name not in self._hardware:
            raise DesignInvalid(f"HardwareProfile {name} does not exist")
        return self._hardware[name]

    def _rests_on_broken(self, data: _Data | None) -> bool:
        seen: set[str] = set()
        while data is not None:
            hardware, parent = data.get("hardware_profile"), data.get("host_profile")
            lost = hardware is not None and hardware not in self._hardware
            if lost and self._broken.explains(reference("HardwareProfile", str(hardware))):
                return True
            if parent is None or parent in seen:
                return False
            if parent not in self._profiles:
                return self._broken.explains(reference("HostProfile", parent))
            seen.add(parent)
            data = self._profiles[parent]
        return False


def _failure(document: Document, text: str) -> ValidationMessage:
    return unreadable(f"Error compiling {document.kind} {document.name}: {text}", document.ref, rule="inheritance")
