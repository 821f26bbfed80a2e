"""The images of the simulated provisioner, each with its kernels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from drydock.simulator.errors import BadRequest

RELEASES = (("xenial", "16.04"), ("bionic", "18.04"), ("focal", "20.04"), ("jammy", "22.04"), ("noble", "24.04"))


def _defaults() -> Mapping[str, tuple[str, ...]]:
    """Ubuntu's images, under both names that existing designs use."""
    offered: dict[str, tuple[str, ...]] = {}
    for name, version in RELEASES:
        offered[name] = offered[f"ubuntu/{name}"] = (f"ga-{version}", f"hwe-{version}", "generic")
    return MappingProxyType(offered)


IMAGES: Mapping[str, tuple[str, ...]] = _defaults()


def parse_images(texts: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """``NAME=KERNEL,KERNEL`` each; Ubuntu's if there are none. Raises ``BadRequest``."""
    offered: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, _, kernels = text.partition("=")
        names = tuple(kernels.split(","))
        if not name or not all(names):
            raise BadRequest(f"{text!r} is not NAME=KERNEL[,KERNEL]")
        offered[name] = names
    return offered or IMAGES
