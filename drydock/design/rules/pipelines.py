"""DD5030: the pipelines of assets fit together, and the templates in them can be rendered."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.design.template_check import TemplateFindings, check_template, code_size
from drydock.model.boot_asset import AssetType, BootActionDesign, BootAsset
from drydock.model.message import Level
from drydock.model.pipeline import TEMPLATE, Form, misfit
from drydock.model.site import SiteDesign

#: Characters of template code of one design that are parsed; further templates are checked only when rendered.
_MOST_CODE = 64 * 1024


class Pipelines:
    code: ClassVar[str] = "DD5030"
    name: ClassVar[str] = "pipelines"
    long_name: ClassVar[str] = "Asset Pipelines"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        check = _Templates(site)
        for action in site.boot_actions:
            for asset in action.assets:
                if asset.path is not None or asset.type is AssetType.PKG_LIST:
                    yield from _check(action, asset, check)


class _Templates:
    """Parses each distinct template once."""

    def __init__(self, site: SiteDesign) -> None:
        self._networks = site.networks
        self._found: dict[str, TemplateFindings] = {}
        self._left = _MOST_CODE

    def findings(self, source: str) -> TemplateFindings:
        found = self._found.get(source)
        if found is None:
            self._left -= code_size(source)
            found = check_template(source, self._networks) if self._left >= 0 else TemplateFindings()
            self._found[source] = found
        return found


def _check(action: BootActionDesign, asset: BootAsset, templates: _Templates) -> Iterator[Finding]:
    stages: list[tuple[str, Sequence[str], str | bytes | None]] = []
    if asset.location is not None:
        stages.append(("location_pipeline", asset.location_pipeline, asset.location))
    if asset.type is not AssetType.PKG_LIST:
        inline = None if asset.location is not None else (asset.data or "").encode("utf-8", "surrogatepass")
        stages.append(("data_pipeline", asset.data_pipeline, inline))
    here = f"Bootaction {action.name}: {f'asset {asset.path:.200}' if asset.path else asset.type}"
    documents = (document("BootAction", action.name),)
    # An action without nodes is never rendered.
    error = Level.ERROR if action.target_nodes else Level.WARNING
    for name, segments, value in stages:
        wrong = misfit(segments, Form.TEXT if isinstance(value, str) else Form.BYTES)
        if wrong is not None:
            yield Finding(error, f"{here}: {name}: {wrong}.", documents)
            continue
        source = _first_template(segments, value)
        if source is None:
            continue
        found = templates.findings(source)
        if found.fault is not None:
            yield Finding(error, f"{here}: {name}: the template cannot be rendered: {found.fault}.", documents)
        elif found.unknown:
            text = f"{here}: {name}: the template uses undefined names: {', '.join(found.unknown[:8])}."
            yield Finding(Level.WARNING, text, documents, "docs/reference/boot-actions.md lists the names.")


def _first_template(segments: Sequence[str], value: str | bytes | None) -> str | None:
    """The source of the first template; None if there is none, or it is not known before rendering."""
    if value is None or TEMPLATE not in segments:
        return None
    for name in segments[: segments.index(TEMPLATE)]:
        try:
            if name == "base64_encode" and isinstance(value, bytes):
                value = base64.b64encode(value)
            elif name == "base64_decode":
                value = base64.b64decode(b"".join(_bytes(value).split()), validate=True)
            elif name == "utf8_decode":
                value = _bytes(value).decode()
            else:
                value = _bytes(value)
        except ValueError:
            return None
    return value if isinstance(value, str) else None


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
