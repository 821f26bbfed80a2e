"""Assigns assets to the two tarballs: clients enable every unit of one, and nothing of the other."""

from __future__ import annotations

from collections.abc import Iterable

from drydock.bootaction.rendered import RenderedAsset
from drydock.model.boot_asset import AssetType, BootAsset
from drydock.model.unit_file import can_be_enabled, has_install


def placed_as(asset: BootAsset, content: bytes) -> AssetType:
    """A unit that must not be enabled is delivered as a file.

    That is a template, a drop-in, or one without an [Install] section, which another unit or its timer starts.
    The asset's ``enable`` overrides this, except for templates and drop-ins, on which ``systemctl enable`` fails.
    """
    if asset.type is not AssetType.UNIT:
        return asset.type
    wanted = has_install(content) if asset.enable is None else asset.enable
    return AssetType.UNIT if wanted and can_be_enabled(asset.path or "") else AssetType.FILE


def without_overwritten(assets: Iterable[RenderedAsset]) -> tuple[RenderedAsset, ...]:
    """Keep the last of several files with one path, across both tarballs."""
    found: dict[object, RenderedAsset] = {}
    for asset in assets:
        key = object() if asset.path is None else asset.path
        found.pop(key, None)
        found[key] = asset
    return tuple(found.values())
