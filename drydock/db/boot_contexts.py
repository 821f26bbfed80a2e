"""Boot contexts and their sealed bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from drydock.db.tables import boot_bundles, boot_contexts
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BootContext, SealedBundle

_LIVE = boot_contexts.c.ended.is_(None) & (boot_contexts.c.expires > func.now())


class BootContextRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, context: BootContext, bundles: Sequence[SealedBundle], *, lifetime_hours: float) -> None:
        """Make ``context`` the node's only live one; the one before is revoked in the same transaction."""
        self.end(context.node)
        self._connection.execute(
            insert(boot_contexts).values(
                id=context.id,
                node=context.node,
                task_id=context.task_id,
                key_digest=context.key_digest,
                packages=dict(context.packages),
                expires=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lifetime_hours * 3600),
            )
        )
        self._connection.execute(
            insert(boot_bundles),
            [
                {
                    "context_id": bundle.context_id,
                    "kind": bundle.kind.value,
                    "sealed": bundle.sealed,
                    "etag": bundle.etag,
                    "size": bundle.size,
                }
                for bundle in bundles
            ],
        )

    def end(self, node: str) -> None:
        """Revoke the node's key, if it has one."""
        self._connection.execute(
            update(boot_contexts)
            .where(boot_contexts.c.node == node, boot_contexts.c.ended.is_(None))
            .values(ended=func.now())
        )

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, BootContext]:
        """The live context that each task made, for those that have made one."""
        rows = self._connection.execute(select(boot_contexts).where(boot_contexts.c.task_id.in_(task_ids), _LIVE))
        return {row.task_id: _from_row(row) for row in rows}

    def get(self, context_id: UUID) -> BootContext:
        """A live context. Raises ``BootContextNotFound``, also for one that ended or expired."""
        row = self._connection.execute(
            select(boot_contexts).where(boot_contexts.c.id == context_id, _LIVE)
        ).one_or_none()
        if row is None:
            raise BootContextNotFound("this deployment has ended")
        return _from_row(row)


def _from_row(row: Row[tuple[object, ...]]) -> BootContext:
    return BootContext(
        id=row.id,
        node=row.node,
        task_id=row.task_id,
        key_digest=bytes(row.key_digest),
        created=row.created,
        expires=row.expires,
        ended=row.ended,
        packages=row.packages,
    )
