"""What is in the assets of nodes, compared by digests: equal for two deployments that write the same.

An asset is rendered as for its machine, with placeholders for what is each deployment's own: the id of the boot action,
the key, the address for reports, the design's reference. What a template draws at random is the same each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from drydock.bootaction.context import node_variables
from drydock.bootaction.placeholders import KEY, PLACEHOLDERS, NotComparable, of_address
from drydock.bootaction.render import Rendering, is_delivered
from drydock.bootaction.template_pool import Render
from drydock.errors import DrydockError, RendererUnavailable
from drydock.model.boot_asset import BootActionDesign, BootAsset
from drydock.model.numbering import numbered
from drydock.model.site import SiteDesign

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

#: Schemes of servers that make what they answer anew each time.
MADE_ANEW = ("promenade+http:", "promenade+https:")


class Sources(Protocol):
    """What references have. Both raise ``DrydockError``."""

    def digest(self, url: str) -> bytes: ...

    def content(self, url: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AssetContent:
    """``action`` and ``asset`` name it, with a number where names repeat among those of its node.

    ``inputs``: digest of all that it is rendered from, None if it is not known, and then ``problem`` says why in words;
    ``by_nature``: it never is. Equal inputs render to equal bytes; other inputs may.
    """

    action: str
    asset: str
    inputs: bytes | None
    problem: str = ""
    by_nature: bool = False
    make: Callable[[], bytes] = field(default=bytes, repr=False, compare=False)


def renderer() -> tuple[str, str]:
    """The versions of what renders assets, of which inputs are too."""
    return version("drydock"), version("jinja2")


def rendered_digest(content: AssetContent) -> bytes:
    """SHA-256 of the rendered bytes. Raises ``DrydockError`` where the asset cannot be rendered."""
    return sha256(content.make()).digest()


@dataclass(frozen=True, slots=True)
class _Asset:
    """``action_name``, ``label``: with a number where names repeat."""

    action: BootActionDesign
    action_name: str
    asset: BootAsset
    label: str

    @property
    def where(self) -> str:
        """As errors of rendering name it."""
        return f"boot action {self.action.name}: asset {self.asset.path or self.asset.type}"

    @property
    def depends_on_node(self) -> bool:
        return "template" in (*self.asset.location_pipeline, *self.asset.data_pipeline)


class _Node:
    """The variables of one node's templates, and their digest."""

    def __init__(self, site: SiteDesign, node: str) -> None:
        self._site = site
        self._node = node

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        return {"node": node_variables(self._site, self._site.nodes[self._node]), "action": PLACEHOLDERS}

    @cached_property
    def digest(self) -> bytes:
        return sha256(json.dumps(self.variables, sort_keys=True).encode()).digest()


class SiteContents:
    """Contents for the nodes of one site. What nodes have in common is looked at once. Not safe for threads."""

    def __init__(self, site: SiteDesign, *, sources: Sources, render: Render, max_bytes: int) -> None:
        """``render``: a repeatable one. ``max_bytes``: as for ``render_assets``."""
        self._site = site
        self._sources = sources
        self._render = render
        self._max_bytes = max_bytes
        self._shared: dict[tuple[int, str], AssetContent] = {}
        self._chosen: dict[tuple[int, ...], Sequence[_Asset]] = {}
        self._data: dict[int, bytes] = {}
        self._addresses: dict[int, str | None] = {}
        self._alike: dict[int, Hash] = {}
        self._renderer = renderer()

    def of_node(self, node: str) -> tuple[AssetContent, ...]:
        about = _Node(self._site, node)
        return tuple(self._content(about, asset) for asset in self._assets_of(node))

    def any_of_node(self, node: str) -> bool:
        return bool(self._assets_of(node))

    def addresses(self, node: str) -> Iterator[str]:
        """Of the references of its assets, without those that are not comparable or cannot be rendered."""
        about = _Node(self._site, node)
        for asset in self._assets_of(node):
            if asset.asset.location is not None:
                with suppress(DrydockError, NotComparable):
                    yield str(self._address(about, asset))

    def _assets_of(self, node: str) -> Sequence[_Asset]:
        """Named alike in whatever order the documents are, and whatever actions other nodes have."""
        chosen = [action for action in self._actions if node in action.target_nodes]
        key = tuple(map(id, chosen))
        if key not in self._chosen:
            self._chosen[key] = [
                _Asset(action, name, asset, label)
                for action, name in zip(chosen, numbered(each.name for each in chosen), strict=True)
                for asset, label in zip(action.assets, numbered(map(_label, action.assets)), strict=True)
                if is_delivered(asset)
            ]
        return self._chosen[key]

    @cached_property
    def _actions(self) -> Sequence[BootActionDesign]:
        return sorted(self._site.boot_actions, key=lambda each: (each.name, each.signaling, repr(each.assets)))

    def _content(self, about: _Node, asset: _Asset) -> AssetContent:
        if asset.depends_on_node:
            return self._looked_at(about, asset)
        # The name too: an action may be the first of its name for one node and the second for another.
        key = (id(asset.asset), asset.action_name)
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = self._looked_at(about, asset)
        return known

    def _looked_at(self, about: _Node, asset: _Asset) -> AssetContent:
        try:
            url = self._address(about, asset)
            rendering = self._rendering(about, asset, self._render)
            source = self._data_digest(asset) if url is None else rendering.fetched(self._sources.digest, url)
        except NotComparable as exc:
            return AssetContent(asset.action_name, asset.label, None, f"{asset.where}: {exc}", by_nature=True)
        except DrydockError as exc:
            return AssetContent(asset.action_name, asset.label, None, exc.message)

        def make() -> bytes:
            found = rendering.data() if url is None else rendering.fetched(self._sources.content, url)
            with _naming(asset):
                return rendering.finished(found)

        return AssetContent(asset.action_name, asset.label, self._inputs(about, asset, source), make=make)

    def _address(self, about: _Node, asset: _Asset) -> str | None:
        if asset.asset.location is None:
            return None
        if "template" in asset.asset.location_pipeline:
            return self._looked_up(about, asset)
        if id(asset.asset) not in self._addresses:
            self._addresses[id(asset.asset)] = self._looked_up(about, asset)
        return self._addresses[id(asset.asset)]

    def _looked_up(self, about: _Node, asset: _Asset) -> str | None:
        with _naming(asset):
            url = self._rendering(about, asset, of_address(self._render)).address()
        if url is not None and url.strip().lower().startswith(MADE_ANEW):
            raise NotComparable("its content is not compared: its server makes it anew for each request")
        return url

    def _rendering(self, about: _Node, asset: _Asset, render: Render) -> Rendering:
        return Rendering(asset.action, asset.asset, about.variables, KEY, render, self._max_bytes)

    def _data_digest(self, asset: _Asset) -> bytes:
        found = self._data.get(id(asset.asset))
        if found is None:
            data = Rendering(asset.action, asset.asset, {}, KEY, self._render, self._max_bytes).data()
            found = self._data[id(asset.asset)] = sha256(data).digest()
        return found

    def _inputs(self, about: _Node, asset: _Asset, source: bytes) -> bytes:
        """Of all that its bytes follow from, and the versions of what renders them."""
        own = asset.asset
        alike = self._alike.get(id(own))
        if alike is None:
            parts = [*self._renderer, own.type.value, own.location is not None, own.data_pipeline]
            alike = self._alike[id(own)] = sha256(json.dumps(parts).encode())
        found = alike.copy()
        found.update(source)
        if "template" in own.data_pipeline:
            found.update(about.digest)
        return found.digest()


def _label(asset: BootAsset) -> str:
    return asset.path or f"({asset.type})"


@contextmanager
def _naming(asset: _Asset) -> Iterator[None]:
    """Other errors name the asset by themselves."""
    try:
        yield
    except RendererUnavailable as exc:
        raise RendererUnavailable(f"{asset.where}: {exc.message}") from exc
