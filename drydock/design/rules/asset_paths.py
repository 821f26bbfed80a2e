"""DD5010: every file of a boot action goes somewhere, and no two files of a node to the same place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.boot_asset import AssetType, BootActionDesign
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class AssetPaths:
    code: ClassVar[str] = "DD5010"
    name: ClassVar[str] = "asset-paths"
    long_name: ClassVar[str] = "Asset Paths"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        users: dict[str, list[BootActionDesign]] = {}
        for action in site.boot_actions:
            documents = (document("BootAction", action.name),)
            own: set[str] = set()
            for index, asset in enumerate(action.assets):
                if asset.type is AssetType.PKG_LIST:
                    continue
                if asset.path is None:
                    text = f"Bootaction {action.name}: assets[{index}] has no path and will not be delivered."
                    yield Finding(Level.WARNING, text, documents)
                elif asset.path in own:
                    text = f"Bootaction {action.name}: {asset.path:.200} is there twice; the last one wins."
                    yield Finding(Level.WARNING, text, documents)
                else:
                    own.add(asset.path)
                    users.setdefault(asset.path, []).append(action)
        for path, actions in users.items():
            yield from _shared(path, actions)


def _shared(path: str, actions: list[BootActionDesign]) -> Iterator[Finding]:
    """Boot actions for different nodes may well write the same file."""
    for earlier, later in pairwise(actions):
        both = [name for name in earlier.target_nodes if name in later.target_nodes]
        if both:
            text = (
                f"{path:.200} is written by bootactions {earlier.name} and {later.name} on {both[0]}"
                f"{f' and {len(both) - 1} more' if len(both) > 1 else ''}; the last one wins."
            )
            documents = (document("BootAction", earlier.name), document("BootAction", later.name))
            yield Finding(Level.WARNING, text, documents)
