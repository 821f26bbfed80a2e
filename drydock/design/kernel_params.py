"""Kernel parameters: resolves references to the hardware profile and builds the command line; pure."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.model.hardware import HardwareProfile

_REFERENCE = "hardwareprofile:"
#: A YAML true in the model; such a parameter is a bare flag.
_FLAG = "True"


def resolve(params: Mapping[str, str], hardware: HardwareProfile) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Parameters with references replaced, and the references that do not exist, which stay unchanged."""
    resolved: dict[str, str] = {}
    unknown: list[str] = []
    for key, value in params.items():
        found = _lookup(value[len(_REFERENCE) :], hardware) if value.startswith(_REFERENCE) else value
        if found is None:
            unknown.append(value)
        resolved[key] = value if found is None else found
    return resolved, tuple(unknown)


def command_line(params: Mapping[str, str]) -> str:
    """Huge pages first (the kernel reads size and count in this order), then the others, each after a space."""
    size = params.get("hugepagesz")
    count = params.get("hugepages")
    paired = size is not None and count is not None
    first = f"hugepagesz={size} hugepages={count}" if paired else ""
    others = (item for item in params.items() if not (paired and item[0] in ("hugepagesz", "hugepages")))
    return first + "".join(f" {key}" if value == _FLAG else f" {key}={value}" for key, value in others)


def _lookup(path: str, hardware: HardwareProfile) -> str | None:
    """``cpuset.<set>``, ``hugepages.<conf>.size`` or ``hugepages.<conf>.count``; names may contain dots."""
    kind, _, rest = path.partition(".")
    if kind == "cpuset":
        return hardware.cpu_sets.get(rest)
    conf, _, part = rest.rpartition(".")
    pages = hardware.hugepages.get(conf) if kind == "hugepages" else None
    if pages is None or part not in ("size", "count"):
        return None
    return pages.size if part == "size" else str(pages.count)
