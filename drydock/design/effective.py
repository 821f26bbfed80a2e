"""Effective nodes: everything inherited, hardware and kernel parameters resolved; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from drydock.design import device_aliases, kernel_params
from drydock.design.documents import Document, reference, unreadable
from drydock.design.inheritance import Lineage
from drydock.design.kinds.host import addresses, settings
from drydock.errors import DesignInvalid
from drydock.model.hardware import HardwareProfile
from drydock.model.message import DocumentRef, Level, ValidationMessage
from drydock.model.network import Network
from drydock.model.node import Node


class MissingPartError(DesignInvalid):
    """A node names a profile that does not exist."""

    def __init__(self, message: str, part: DocumentRef) -> None:
        super().__init__(message)
        self.part = part


class NodeCompiler:
    """Compiles the nodes of one design. ``broken`` documents have had their message; what needs them gets none."""

    def __init__(
        self,
        profiles: Mapping[str, Mapping[str, Any]],
        hardware: Mapping[str, HardwareProfile],
        networks: Mapping[str, Network],
        broken: frozenset[DocumentRef],
    ) -> None:
        self._lineage = Lineage(profiles)
        self._hardware = hardware
        self._networks = networks
        self._broken = broken

    def compile(self, document: Document) -> tuple[Node | None, list[ValidationMessage]]:
        """The effective node, or None with the reason."""
        try:
            return self._compile(document)
        except MissingPartError as exc:
            if exc.part in self._broken:
                return None, []
            return None, [_failure(document, exc.message)]
        except DesignInvalid as exc:
            return None, [_failure(document, exc.message)]

    def _compile(self, document: Document) -> tuple[Node, list[ValidationMessage]]:
        data = self._lineage.effective(document.data)
        node = Node(
            name=document.name,
            boot_mac=data.get("metadata", {}).get("boot_mac"),
            addresses=addresses(data),
            domain=self._domain(data.get("primary_network")),
            **settings(data),
        )
        hardware = self._hardware_of(node)
        params, unknown = kernel_params.resolve(node.kernel_params, hardware)
        warnings = [
            unreadable(
                f"Kernel parameter reference {reference_text} of BaremetalNode {node.name} leads nowhere.",
                document.ref,
                level=Level.WARNING,
            )
            for reference_text in unknown
        ]
        return replace(
            node,
            kernel_params=MappingProxyType(dict(params)),
            kernel_param_string=kernel_params.command_line(params),
            interfaces=device_aliases.resolve(node.interfaces, hardware),
        ), warnings

    def _hardware_of(self, node: Node) -> HardwareProfile:
        name = node.hardware_profile
        if name is None:
            raise DesignInvalid("hardware_profile is not set, neither on the node nor on a host profile of it")
        if name not in self._hardware:
            raise MissingPartError(f"HardwareProfile {name} does not exist", reference("HardwareProfile", name))
        return self._hardware[name]

    def _domain(self, primary_network: str | None) -> str:
        network = self._networks.get(primary_network) if primary_network is not None else None
        return network.dns_domain if network is not None else "local"


def _failure(document: Document, text: str) -> ValidationMessage:
    return unreadable(f"Error compiling {document.kind} {document.name}: {text}", document.ref)
