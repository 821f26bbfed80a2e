"""DD5021: systemd finds the units of boot actions, and can enable those that must be enabled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.boot_asset import AssetType, BootActionDesign, BootAsset
from drydock.model.message import Level
from drydock.model.site import SiteDesign
from drydock.model.unit_file import can_be_enabled, has_install, is_drop_in, is_searched, is_template, starts

#: Maximum number of units of one boot action that are compared with each other.
_MOST = 100


class UnitAssets:
    code: ClassVar[str] = "DD5021"
    name: ClassVar[str] = "unit-assets"
    long_name: ClassVar[str] = "Unit Assets"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for action in site.boot_actions:
            units = [asset for asset in action.assets if asset.type is AssetType.UNIT and asset.path]
            for asset in units:
                for text in _faults(asset, asset.path or "", units[:_MOST]):
                    yield _finding(action, f"{asset.path:.200} {text}")


def _faults(asset: BootAsset, path: str, units: Sequence[BootAsset]) -> Iterator[str]:
    if not is_searched(path):
        yield "is in no directory where systemd looks for units, such as /etc/systemd/system."
    elif not can_be_enabled(path) and not is_template(path) and not is_drop_in(path):
        yield "does not have a unit's name, such as a.service or a.timer."
    if asset.enable and (is_template(path) or is_drop_in(path)):
        yield "is a template or a drop-in: it is delivered, and cannot be enabled."
    elif asset.enable is None and can_be_enabled(path) and _never_starts(asset, path, units):
        yield "has no [Install] section, so that it is not enabled and not started, and no other unit names it."


def _never_starts(asset: BootAsset, path: str, units: Sequence[BootAsset]) -> bool:
    """True if the unit certainly never starts: its text and all others are known before rendering."""
    if asset.data is None or "template" in asset.data_pipeline or "base64_decode" in asset.data_pipeline:
        return False
    name = path.rpartition("/")[2]
    others = [other for other in units if other is not asset]
    known = all(other.data is not None for other in others)
    named = any(starts(other.path or "", name) or name in (other.data or "") for other in others)
    return known and not named and not has_install(asset.data.encode("utf-8", "replace"))


def _finding(action: BootActionDesign, text: str) -> Finding:
    return Finding(Level.WARNING, f"Bootaction {action.name}: {text}", (document("BootAction", action.name),))
