"""Which assets go into which tarball: every client enables all units of the one, and nothing of the other."""

from __future__ import annotations

from collections.abc import Iterable

from drydock.bootaction.rendered import RenderedAsset
from drydock.model.boot_asset import AssetType, BootAsset
from drydock.model.unit_file import can_be_enabled, has_install


def placed_as(asset: BootAsset, content: bytes) -> AssetType:
    """A unit that is not to be enabled is put in place as a file.

    That is a template, a drop-in, and one without an [Install] section: what it is wanted by, or its timer, starts it.
    The asset's ``enable`` decides otherwise, but for templates and drop-ins, which ``systemctl enable`` fails on.
    """
    if asset.type is not AssetType.UNIT:
        return asset.type
    wanted = has_install(content) if asset.enable is None else asset.enable
    return AssetType.UNIT if wanted and can_be_enabled(asset.path or "") else AssetType.FILE


def without_overwritten(assets: Iterable[RenderedAsset]) -> tuple[RenderedAsset, ...]:
    """Of several files with one path the last: they may be in both tarballs, which are unpacked one after the other."""
    found: dict[object, RenderedAsset] = {}
    for asset in assets:
        key = object() if asset.path is None else asset.path
        found.pop(key, None)
        found[key] = asset
    return tuple(found.values())
