"""Boot actions and their assets, as a design writes them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drydock.errors import InvalidInput
from drydock.model.node_filter import NodeFilterSet

DEFAULT_MODE = 0o600


class AssetType(StrEnum):
    """``unit``: a file that systemd enables. ``pkg_list``: packages, never a file."""

    UNIT = "unit"
    FILE = "file"
    PKG_LIST = "pkg_list"


@dataclass(frozen=True, slots=True)
class BootAsset:
    """``location`` wins over ``data``. ``packages`` (name to version or None) are the inline data of a ``pkg_list``.

    ``enable``, of a unit: whether systemd enables it; None if its content decides.
    """

    type: AssetType
    path: str | None = None
    location: str | None = None
    data: str | None = None
    packages: Mapping[str, str | None] | None = None
    location_pipeline: tuple[str, ...] = ()
    data_pipeline: tuple[str, ...] = ()
    mode: int = DEFAULT_MODE
    enable: bool | None = None


@dataclass(frozen=True, slots=True)
class BootActionDesign:
    """``target_nodes``: a mapping, in site order, because membership is tested once per node.

    ``signaling``: the node must report a final status.
    """

    name: str
    signaling: bool
    assets: tuple[BootAsset, ...]
    node_filter: NodeFilterSet | None = None
    target_nodes: Mapping[str, None] = field(default_factory=dict)


def normal_path(path: str, *, field: str = "path") -> str:
    """An asset's path without doubled slashes and dots. Raises ``InvalidInput`` unless it is an absolute file name."""
    if not path.startswith("/") or path.endswith("/"):
        raise InvalidInput("must be the absolute path of a file", field=field)
    if ".." in path.split("/"):
        raise InvalidInput("must not contain ..", field=field)
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise InvalidInput("must not contain control characters", field=field)
    normal = "/" + posixpath.normpath(path).lstrip("/")
    if normal == "/":
        raise InvalidInput("must be the absolute path of a file", field=field)
    return normal
