"""Makes a node's boot context: key, rendered assets, sealed bundles, boot actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from ulid import ULID

from drydock.bootaction.content_record import Sealer
from drydock.bootaction.contents import SiteContents
from drydock.bootaction.fetching import FetchedSources, SharedFetch
from drydock.bootaction.keys import derive_key, derive_matching, events_token, key_digest
from drydock.bootaction.memory_budget import MemoryBudget
from drydock.bootaction.packages import merge_packages, package_conflicts
from drydock.bootaction.placeholders import Remembered
from drydock.bootaction.placing import without_overwritten
from drydock.bootaction.render import RenderedAsset, TemplateLimits, render_assets, unknown_names
from drydock.bootaction.report_tool import report_tool
from drydock.bootaction.sealing import seal
from drydock.bootaction.tarball import pack
from drydock.bootaction.template_pool import Render, TemplatePool
from drydock.bootaction.user_data import user_data
from drydock.errors import RenderError
from drydock.model.boot_action import BootAction
from drydock.model.boot_asset import BootActionDesign
from drydock.model.boot_context import BootContext, BundleKind, PreparedBoot, SealedBundle
from drydock.model.site import SiteDesign
from drydock.model.task import Task


@dataclass(frozen=True, slots=True)
class BootSettings:
    """``secrets``: the first signs, all verify. ``report_url``, ``bootdata_url`` end in a slash.

    ``fetches``, ``renderers``: references fetched, and templates rendered, at a time. ``report_tool``:
    path of the tool on nodes, None for no tool.
    """

    secrets: Sequence[bytes] = field(repr=False)
    report_url: str
    bootdata_url: str
    lifetime_hours: float
    limits: TemplateLimits
    fetches: int
    renderers: int
    start_units: bool
    installer_events: bool
    report_tool: str | None


#: Bytes of assets that a worker prepares at a time; preparing briefly needs several times as much.
_MEMORY_BYTES = 32 * 1024 * 1024


class BootPreparation:
    def __init__(
        self, settings: BootSettings, fetch: Callable[[str], bytes], present: Callable[[str], bytes] | None = None
    ) -> None:
        """``present``: as ``fetch``, but from no cache, for nodes of plans, which were made with what there is now."""
        self._settings = settings
        self._fetch = SharedFetch(fetch, at_most=settings.fetches, present=present)
        self._templates = TemplatePool(settings.limits, processes=settings.renderers)
        self._memory = MemoryBudget(_MEMORY_BYTES)
        self._sealer = Sealer(settings.secrets[0])

    @staticmethod
    def fetches(node: str, site: SiteDesign) -> bool:
        """True if an asset of this node has to be fetched."""
        return any(
            node in action.target_nodes and any(asset.location is not None for asset in action.assets)
            for action in site.boot_actions
        )

    def prepare(self, task: Task, node: str, site: SiteDesign) -> tuple[PreparedBoot, Sequence[str]]:
        """Render, pack and seal. Stores nothing: the transaction that records the step does.

        Also returns warnings for the operator: conflicting package versions and undefined names in templates. Waits
        while other nodes' boots use the memory budget.

        Raises ``RenderError``, ``ReferenceUnavailable``, ``InvalidReference``, ``RendererUnavailable``.
        """
        with self._memory.reserve(task.root_id) as record_size:
            return self._prepared(task, node, site, record_size)

    def _prepared(
        self, task: Task, node: str, site: SiteDesign, record_size: Callable[[int], None]
    ) -> tuple[PreparedBoot, Sequence[str]]:
        context_id = uuid4()
        key = derive_key(self._settings.secrets[0], context_id, node)
        wanted = [(action, str(ULID())) for action in site.boot_actions if node in action.target_nodes]
        sources = FetchedSources(self._fetch.for_task(task.root_id, present=task.plan is not None))
        templates = Remembered(
            self._templates.for_task(task.root_id), self._templates.for_task(task.root_id, repeatable=True)
        )
        assets = without_overwritten(self._assets(task, node, site, wanted, key, sources.content, templates.as_is))
        max_bytes = self._settings.limits.max_bytes
        contents = SiteContents(site, sources=sources, render=templates.repeatable, max_bytes=max_bytes).of_node(node)
        record_size(sum(len(asset.content) for asset in assets))
        now = datetime.now(UTC)
        context = BootContext(
            id=context_id,
            node=node,
            task_id=task.id,
            key_digest=key_digest(key),
            created=now,
            expires=now,
            packages=merge_packages(assets),
        )
        actions = tuple(
            BootAction(
                id=ulid, context_id=context_id, task_id=task.id, node=node, name=action.name, signaling=action.signaling
            )
            for action, ulid in wanted
        )
        prepared = PreparedBoot(
            context,
            bundles=[self._bundle(kind, assets, context_id, node, key) for kind in BundleKind],
            actions=actions,
            events_digest=key_digest(events_token(key)),
            lifetime_seconds=self._settings.lifetime_hours * 3600,
            contents=self._sealer.record(contents),
        )
        return prepared, (*package_conflicts(assets), *unknown_names(assets))

    def _assets(
        self,
        task: Task,
        node: str,
        site: SiteDesign,
        wanted: Sequence[tuple[BootActionDesign, str]],
        key: bytes,
        fetch: Callable[[str], bytes],
        render: Render,
    ) -> tuple[RenderedAsset, ...]:
        settings = self._settings
        assets = render_assets(
            site,
            node,
            wanted,
            key=key,
            report_url=settings.report_url,
            design_ref=task.design_ref,
            fetch=fetch,
            render=render,
            max_bytes=settings.limits.max_bytes,
        )
        if settings.report_tool is None:
            return assets
        # First, so that files of the design with the same paths win.
        return (*report_tool(settings.report_tool, wanted, key=key, report_url=settings.report_url), *assets)

    @staticmethod
    def _bundle(
        kind: BundleKind, assets: Sequence[RenderedAsset], context_id: UUID, node: str, key: bytes
    ) -> SealedBundle:
        content = pack([asset for asset in assets if asset.type.value == kind.value])
        return SealedBundle(
            context_id=context_id,
            kind=kind,
            sealed=seal(key, context_id=context_id, node=node, kind=kind.value, content=content),
            size=len(content),
        )

    def user_data(self, context: BootContext, site: SiteDesign) -> str:
        """The user-data of the machine. It holds the key, derived again because it is not stored.

        Raises ``RenderError`` when no configured secret derives this context's key.
        """
        key = derive_matching(self._settings.secrets, context.id, context.node, context.key_digest)
        if key is None:
            raise RenderError("the secret of this node's key is no longer in [bootaction] secrets; deploy again")
        return user_data(
            deployment=context.id,
            node=context.node,
            key=key,
            bootdata_url=self._settings.bootdata_url,
            report_url=self._settings.report_url,
            packages=context.packages,
            start_units=self._settings.start_units,
            installer_events=self._settings.installer_events,
            authorized_keys=() if site.region is None else site.region.authorized_keys,
        )
