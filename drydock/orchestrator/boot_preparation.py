"""Makes a node's boot context: key, rendered assets, sealed bundles, boot actions – in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from ulid import ULID

from drydock.bootaction.keys import derive_key, derive_matching, key_digest
from drydock.bootaction.packages import merge_packages
from drydock.bootaction.render import RenderedAsset, TemplateLimits, render_assets
from drydock.bootaction.sealing import seal
from drydock.bootaction.tarball import pack
from drydock.bootaction.user_data import user_data
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import RenderError
from drydock.model.boot_action import BootAction
from drydock.model.boot_context import BootContext, BundleKind, SealedBundle
from drydock.model.site import SiteDesign
from drydock.model.task import Task


@dataclass(frozen=True, slots=True)
class BootSettings:
    """``secrets``: the first signs, all verify. ``report_url``, ``bootdata_url`` end in a slash."""

    secrets: Sequence[bytes] = field(repr=False)
    report_url: str
    bootdata_url: str
    lifetime_hours: float
    limits: TemplateLimits


class BootPreparation:
    def __init__(self, settings: BootSettings, fetch: Callable[[str], bytes]) -> None:
        self._settings = settings
        self._fetch = fetch

    def prepare(
        self, task: Task, node: str, site: SiteDesign, transaction: Callable[[], AbstractContextManager[UnitOfWork]]
    ) -> tuple[BootAction, ...]:
        """Render, pack, seal and store, unless this task has done so before; the node's old key is revoked.

        Raises ``RenderError``, ``ReferenceUnavailable``, ``InvalidReference``, ``LeaseLost``.
        """
        with transaction() as uow:
            before = uow.boot_contexts.of_tasks([task.id]).get(task.id)
            if before is not None:
                return uow.boot_actions.of_tasks([task.id]).get(task.id, ())
        context_id = uuid4()
        key = derive_key(self._settings.secrets[0], context_id, node)
        wanted = [(action, str(ULID())) for action in site.boot_actions if node in action.target_nodes]
        assets = render_assets(
            site,
            node,
            wanted,
            key=key,
            report_url=self._settings.report_url,
            design_ref=task.design_ref,
            fetch=self._fetch,
            limits=self._settings.limits,
        )
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
        bundles = [self._bundle(kind, assets, context_id, node, key) for kind in BundleKind]
        with transaction() as uow:
            uow.boot_contexts.replace(context, bundles, lifetime_hours=self._settings.lifetime_hours)
            uow.boot_actions.add(actions)
            uow.commit()
        return actions

    @staticmethod
    def _bundle(
        kind: BundleKind, assets: Sequence[RenderedAsset], context_id: UUID, node: str, key: bytes
    ) -> SealedBundle:
        content = pack([asset for asset in assets if asset.type.value == kind.value])
        return SealedBundle(
            context_id=context_id,
            kind=kind,
            sealed=seal(key, context_id=context_id, node=node, kind=kind.value, content=content),
            etag=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )

    def user_data(self, context: BootContext, site: SiteDesign) -> str:
        """What the machine is given at its first boot. It holds the key: derived again, as it is stored nowhere.

        Raises ``RenderError`` when no configured secret made this context's key.
        """
        key = derive_matching(self._settings.secrets, context.id, context.node, context.key_digest)
        if key is None:
            raise RenderError("the secret that made this node's key is no longer in [bootaction] secrets; deploy again")
        return user_data(
            node=context.node,
            key=key,
            bootdata_url=self._settings.bootdata_url,
            report_url=self._settings.report_url,
            packages=context.packages,
            authorized_keys=() if site.region is None else site.region.authorized_keys,
        )
