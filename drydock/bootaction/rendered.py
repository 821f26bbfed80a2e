"""A boot action's asset, rendered for one node."""

from __future__ import annotations

from dataclasses import dataclass, field

from drydock.model.boot_asset import AssetType


@dataclass(frozen=True, slots=True)
class RenderedAsset:
    """``action`` is the boot action's name. A ``pkg_list`` has JSON as ``content`` and no path.

    ``unknown``: undefined names in its templates.
    """

    action: str
    type: AssetType
    path: str | None
    mode: int
    content: bytes = field(repr=False)
    unknown: tuple[str, ...] = ()
