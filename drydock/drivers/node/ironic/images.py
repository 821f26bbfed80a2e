"""Images by the names that designs use: from a file of the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drydock.errors import ConfigurationError

MEMBERS = frozenset(
    {
        "source",
        "checksum",
        "kernel",
        "ramdisk",
        "root_gb",
        "boot_iso",
        "arch",
        "kernels",
        "kernel_params",
        "disk_format",
    }
)


@dataclass(frozen=True, slots=True)
class IronicImage:
    """``source`` or ``boot_iso``: URL or Glance's identity. ``kernels``: what designs may name with it.

    ``kernel_params``: what its system is started with. With ``kernel`` and ``ramdisk`` it is the image of a partition,
    of ``root_gb``; without, of a whole disk.
    """

    name: str
    source: str | None
    checksum: str | None
    kernel: str | None
    ramdisk: str | None
    root_gb: int | None
    boot_iso: str | None
    arch: str | None
    kernels: tuple[str, ...]
    disk_format: str | None
    kernel_params: str | None

    @property
    def whole_disk(self) -> bool:
        return self.kernel is None and self.ramdisk is None

    def instance_info(self) -> dict[str, Any]:
        """Ironic's names for it."""
        if self.boot_iso is not None:
            return {"boot_iso": self.boot_iso}
        wanted = {
            "image_source": self.source,
            # NOTE: without it Ironic 39 fails on file:// images ("'str' object has no attribute 'url'").
            "image_type": "whole-disk" if self.whole_disk else "partition",
            "image_checksum": self.checksum,
            "image_disk_format": self.disk_format,
            "kernel": self.kernel,
            "ramdisk": self.ramdisk,
            "root_gb": self.root_gb,
        }
        return {name: value for name, value in wanted.items() if value is not None}


def lacking_params(image: IronicImage, wanted: str) -> str | None:
    """The words of ``wanted`` with which the system of the image is not started, None if there are none."""
    if image.boot_iso is not None:
        return None
    given = frozenset((image.kernel_params or "").split())
    return " ".join(word for word in wanted.split() if word not in given) or None


def load_images(path: str) -> Mapping[str, IronicImage]:
    """The images of a YAML or JSON file: a mapping of names to ``MEMBERS``. Raises ``ConfigurationError``."""
    try:
        document = yaml.safe_load(Path(path).read_text())
    except OSError as exc:
        raise ConfigurationError(f"ironic: the images_file cannot be read: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigurationError("ironic: the images_file is not YAML") from exc
    if not isinstance(document, dict) or not document:
        raise ConfigurationError("ironic: the images_file must be a mapping of names to images")
    return {str(name): _image(str(name), members) for name, members in document.items()}


def glance_image(row: Mapping[str, Any]) -> IronicImage:
    """An image of Glance. Ironic reads its kernel, ramdisk and checksum there; its properties may name ``kernels``."""
    arch = row.get("hw_architecture") or row.get("architecture")
    kernels = tuple(str(row.get("kernels") or "").replace(",", " ").split())
    return IronicImage(
        row["name"],
        row["id"],
        None,
        row.get("kernel_id"),
        row.get("ramdisk_id"),
        None,
        None,
        arch,
        kernels,
        None,
        row.get("kernel_params"),
    )


def _image(name: str, members: object) -> IronicImage:
    if not isinstance(members, dict):
        raise ConfigurationError(f"ironic: images_file: {name} must be a mapping")
    unknown = sorted(set(map(str, members)) - MEMBERS)
    if unknown:
        raise ConfigurationError(
            f"ironic: images_file: {name} has {unknown[0]!r}; there are {', '.join(sorted(MEMBERS))}"
        )
    if bool(members.get("source")) == bool(members.get("boot_iso")):
        raise ConfigurationError(f"ironic: images_file: {name} needs either source or boot_iso")
    if bool(members.get("kernel")) != bool(members.get("ramdisk")):
        raise ConfigurationError(f"ironic: images_file: {name} needs kernel and ramdisk, or neither")
    kernels = members.get("kernels") or []
    if not isinstance(kernels, list):
        raise ConfigurationError(f"ironic: images_file: {name}: kernels must be a list of names")
    text = {key: None if members.get(key) is None else str(members[key]) for key in MEMBERS - {"root_gb", "kernels"}}
    root_gb = members.get("root_gb")
    if root_gb is not None and not isinstance(root_gb, int):
        raise ConfigurationError(f"ironic: images_file: {name}: root_gb must be a number")
    return IronicImage(name=name, root_gb=root_gb, kernels=tuple(map(str, kernels)), **text)
