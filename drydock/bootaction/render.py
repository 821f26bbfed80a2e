"""Renders the assets of a node from their definitions and the design."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drydock.bootaction import pipeline
from drydock.bootaction.context import action_variables, node_variables
from drydock.bootaction.packages import dump_packages, parse_packages
from drydock.bootaction.pipeline import SegmentError, Value
from drydock.bootaction.placing import placed_as
from drydock.bootaction.rendered import RenderedAsset
from drydock.bootaction.template_limits import TemplateFaultError, TemplateLimits
from drydock.bootaction.template_pool import Render
from drydock.errors import DesignError, DrydockError, NotFound, RenderError
from drydock.model.boot_asset import AssetType, BootActionDesign, BootAsset
from drydock.model.site import SiteDesign

__all__ = ["RenderedAsset", "Rendering", "TemplateLimits", "is_delivered", "render_assets", "unknown_names"]

_Fetch = Callable[[str], bytes]
Fetched = TypeVar("Fetched")
_Variables = Mapping[str, Any]


def render_assets(
    site: SiteDesign,
    node: str,
    actions: Sequence[tuple[BootActionDesign, str]],
    *,
    key: bytes,
    report_url: str,
    design_ref: str,
    fetch: _Fetch,
    render: Render,
    max_bytes: int,
) -> tuple[RenderedAsset, ...]:
    """The assets of the boot actions (each with its ULID) for this node, in order; package lists included.

    Assets without a path are left out. References are fetched once per URL, by ``fetch``, whose errors
    are raised with the asset's name: ``RenderError`` for permanent ones, the error itself for passing
    ones; also ``RendererUnavailable``. No error contains the key.

    ``render``: renders templates. ``max_bytes``: limit of each segment's output.
    """
    if node not in site.nodes:
        raise RenderError(f"the design has no node {node:.100}")
    fetched: dict[str, bytes] = {}

    def fetch_once(url: str) -> bytes:
        if url not in fetched:
            fetched[url] = fetch(url)
        return fetched[url]

    about_node = node_variables(site, site.nodes[node])
    rendered: list[RenderedAsset] = []
    for action, action_id in actions:
        about_action = action_variables(action_id, key=key, report_url=report_url, design_ref=design_ref)
        for asset in action.assets:
            if is_delivered(asset):
                variables = {"node": about_node, "action": about_action}
                rendering = Rendering(action, asset, variables, key, render, max_bytes)
                content = rendering.content(fetch_once)
                kind, unknown = placed_as(asset, content), tuple(rendering.unknown)
                rendered.append(RenderedAsset(action.name, kind, asset.path, asset.mode, content, unknown))
    return tuple(rendered)


def is_delivered(asset: BootAsset) -> bool:
    """Whether it reaches machines: an asset without a path does not, unless it is a package list."""
    return asset.path is not None or asset.type is AssetType.PKG_LIST


def unknown_names(assets: Sequence[RenderedAsset]) -> tuple[str, ...]:
    """A line for each asset whose templates write undefined names, which render as empty text."""
    return tuple(
        f"boot action {asset.action}: asset {asset.path or asset.type}: the template uses undefined names: "
        f"{', '.join(asset.unknown)}"
        for asset in assets
        if asset.unknown
    )


class Rendering:
    """The rendering of one asset. Its methods raise as ``render_assets``."""

    def __init__(
        self,
        action: BootActionDesign,
        asset: BootAsset,
        variables: _Variables,
        key: bytes,
        render: Render,
        max_bytes: int,
    ) -> None:
        self._asset = asset
        self._where = f"boot action {action.name}: asset {asset.path or asset.type}"
        self._variables = variables
        self._key = key
        self._render = render
        self._max_bytes = max_bytes
        #: Undefined names in templates.
        self.unknown: dict[str, None] = {}
        self._quoted = True

    def content(self, fetch: _Fetch) -> bytes:
        url = self.address()
        return self.finished(self.data() if url is None else self.fetched(fetch, url))

    def address(self) -> str | None:
        """Where its source is fetched from; None for one that the design itself has."""
        asset = self._asset
        if asset.location is None:
            return None
        return self._run(asset.location, "location_pipeline", asset.location_pipeline).decode("utf-8")

    def data(self) -> bytes:
        """The source that the design has."""
        if self._asset.type is AssetType.PKG_LIST:
            return dump_packages(self._asset.packages or {})
        return (self._asset.data or "").encode("utf-8")

    def finished(self, source: bytes) -> bytes:
        asset = self._asset
        # A server's answer is not shown: readers of a task may not have access to the server.
        self._quoted = asset.location is None
        if asset.type is not AssetType.PKG_LIST:
            return self._run(source, "data_pipeline", asset.data_pipeline)
        try:
            return source if asset.location is None else dump_packages(parse_packages(source))
        except ValueError as exc:
            raise self._error("location", str(exc)) from None

    def _run(self, value: Value, name: str, segments: Sequence[str]) -> bytes:
        try:
            result = pipeline.run(value, segments, self._template, max_bytes=self._max_bytes)
            return result.encode("utf-8") if isinstance(result, str) else result
        except SegmentError as exc:
            raise self._error(f"{name} segment {exc.segment}", str(exc)) from None
        except UnicodeEncodeError as exc:
            raise self._error(name, f"the text cannot be encoded as UTF-8 at character {exc.start}") from None

    def _template(self, value: Value) -> str:
        try:
            rendered = self._render(pipeline.text(value), self._variables)
        except TemplateFaultError as exc:
            raise ValueError(exc.quoting if self._quoted else str(exc)) from None
        if self._quoted:
            self.unknown |= dict.fromkeys(rendered.unknown)
        return rendered.text

    def fetched(self, fetch: Callable[[str], Fetched], url: str) -> Fetched:
        """What ``fetch`` answers for the address; its errors name the asset."""
        try:
            return fetch(url)
        except (DesignError, NotFound) as exc:
            if exc.retry:
                raise type(exc)(self._text("location", exc.message)) from exc
            raise self._error("location", exc.message) from exc

    def _error(self, stage: str, text: str) -> DrydockError:
        return RenderError(self._text(stage, text))

    def _text(self, stage: str, text: str) -> str:
        """Mask the key: an error's text may quote variables."""
        secret = re.compile(re.escape(self._key.hex()), re.IGNORECASE)
        return f"{self._where}: {stage}: {secret.sub('<key>', text)}"
