"""Boot actions from their documents' data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drydock.design.kinds.values import frozen, required, strings
from drydock.design.secrecy import HIDDEN
from drydock.errors import DesignInvalid, InvalidInput
from drydock.model.boot_asset import DEFAULT_MODE, AssetType, BootActionDesign, BootAsset, normal_path
from drydock.model.node_filter import parse_node_filter

_OCTAL = re.compile(r"(?:0o?)?[0-7]{3,4}")


def boot_action(name: str, data: Mapping[str, Any]) -> BootActionDesign:
    """Without its target nodes. Raises ``DesignInvalid``."""
    assets = required(data, "assets")
    try:
        return BootActionDesign(
            name=name,
            signaling=data.get("signaling", True),
            assets=tuple(_asset(item, f"assets[{index}]") for index, item in enumerate(assets)),
            node_filter=parse_node_filter(data.get("node_filter")),
        )
    except InvalidInput as exc:
        raise DesignInvalid(exc.message) from exc


def _asset(data: Mapping[str, Any], where: str) -> BootAsset:
    kind = AssetType(data["type"])
    content, location = data.get("data"), data.get("location")
    packages = _packages(content, where) if kind is AssetType.PKG_LIST and location is None else None
    if location is None and content is None:
        raise DesignInvalid(f"{where} has neither data nor location")
    if kind is not AssetType.PKG_LIST and isinstance(content, Mapping):
        raise DesignInvalid(f"{where}.data must be a string: only a pkg_list may have a map")
    if "enable" in data and kind is not AssetType.UNIT:
        raise DesignInvalid(f"{where}.enable is for a unit only")
    if content == HIDDEN:
        raise DesignInvalid(f"{where}.data is {HIDDEN}, which hides data from readers: write the data itself")
    path = data.get("path")
    return BootAsset(
        type=kind,
        path=None if path is None else normal_path(path, field=f"{where}.path"),
        location=location,
        data=content if isinstance(content, str) and kind is not AssetType.PKG_LIST else None,
        packages=packages,
        location_pipeline=strings(data.get("location_pipeline")),
        data_pipeline=strings(data.get("data_pipeline")),
        mode=_mode(data.get("permissions"), where),
        enable=data.get("enable"),
    )


def _packages(content: object, where: str) -> Mapping[str, str | None]:
    if not isinstance(content, Mapping):
        raise DesignInvalid(f"{where}.data of a pkg_list must map package to version")
    return frozen({package: version or None for package, version in content.items()})


def _mode(permissions: str | None, where: str) -> int:
    if permissions is None:
        return DEFAULT_MODE
    if not _OCTAL.fullmatch(permissions):
        raise DesignInvalid(f"{where}.permissions must be octal, such as '644', not {permissions:.50}")
    return int(permissions.removeprefix("0o"), 8)
