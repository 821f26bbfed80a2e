"""DD4002 (Bootaction pkg_list): package lists are not empty, and versions are valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.boot_asset import AssetType
from drydock.model.message import Level
from drydock.model.site import SiteDesign

_VERSION = re.compile(r"(\d+:)?([a-zA-Z0-9.+~-]+)(-[a-zA-Z0-9.+~]+)", re.ASCII)


class PackageLists:
    code: ClassVar[str] = "DD4002"
    name: ClassVar[str] = "package-lists"
    long_name: ClassVar[str] = "Bootaction pkg_list Validation"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for action in site.boot_actions:
            documents = (document("BootAction", action.name),)
            for asset in action.assets:
                if asset.type is not AssetType.PKG_LIST or asset.location is not None:
                    continue
                if not asset.packages:
                    yield Finding(Level.ERROR, f"Bootaction {action.name}: a pkg_list has no packages.", documents)
                for package, version in (asset.packages or {}).items():
                    if version is not None and not _VERSION.fullmatch(version):
                        text = f"Version specifier {version:.100} is not a valid format. ({package:.100})"
                        hint = "A version has an upstream part and a revision, such as 1.2-3 or 1:2.0-1ubuntu1."
                        yield Finding(Level.ERROR, text, documents, hint)
