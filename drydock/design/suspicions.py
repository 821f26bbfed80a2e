"""Warnings about legal but probably unintended settings; never errors, because existing sites contain them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drydock.design.documents import Document, unreadable
from drydock.model.message import Level, ValidationMessage

_SRIOV = frozenset({"vf_count", "trustedmode", "trustmode"})


def suspicions(document: Document) -> Iterator[ValidationMessage]:
    for text in _texts(document):
        yield unreadable(
            f"{document.kind} {document.name}: {text}", document.ref, level=Level.WARNING, rule="suspicious"
        )


def _texts(document: Document) -> Iterator[str]:
    if document.kind in ("HostProfile", "BaremetalNode"):
        yield from _interfaces(document.data.get("interfaces", {}))
        yield from _devices(document.data.get("storage", {}).get("physical_devices", {}))
    elif document.kind == "NetworkLink":
        yield from _bonding(document.data.get("bonding", {}))


def _interfaces(interfaces: Mapping[str, Any]) -> Iterator[str]:
    for name, interface in interfaces.items():
        unknown = sorted((interface or {}).get("sriov", {}).keys() - _SRIOV)
        if unknown:
            yield f"interface {name}: unknown keys in sriov have no effect: {', '.join(unknown):.200}"


def _devices(devices: Mapping[str, Any]) -> Iterator[str]:
    for name, device in devices.items():
        if device is not None and "volume_group" in device and device.get("partitions"):
            yield f"device {name} has a volume_group and partitions: the partitions have no effect"


def _bonding(bonding: Mapping[str, Any]) -> Iterator[str]:
    if bonding.get("mode", "disabled") == "disabled" and len(bonding.keys() - {"mode"}):
        options = ", ".join(sorted(bonding.keys() - {"mode"}))
        yield f"bonding is disabled, so its options have no effect: {options:.200}"
