"""DD5022: a boot action that must report has a file or unit that can send the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.boot_asset import AssetType
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class Signaling:
    code: ClassVar[str] = "DD5022"
    name: ClassVar[str] = "signaling"
    long_name: ClassVar[str] = "Signaling"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for action in site.boot_actions:
            files = [asset for asset in action.assets if asset.type is not AssetType.PKG_LIST and asset.path]
            if action.signaling and not files:
                text = f"Bootaction {action.name} must report, but has no file or unit that could send a report."
                hint = "Its nodes would wait for the report until they time out. Set signaling: false."
                yield Finding(Level.WARNING, text, (document("BootAction", action.name),), hint)
