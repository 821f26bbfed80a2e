"""Boot contexts and their sealed bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Double, Row, bindparam, func, insert, select, update

from drydock.db.recordset import one_of
from drydock.db.tables import boot_actions, boot_bundles, boot_contexts, machines
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BootContext, PreparedBoot

_LIVE = boot_contexts.c.ended.is_(None) & (boot_contexts.c.expires > func.now())
_OF_TASKS = select(boot_contexts).where(one_of(boot_contexts.c.task_id, "of_tasks"), _LIVE)
_END = (
    update(boot_contexts)
    .where(one_of(boot_contexts.c.node, "of_nodes"), boot_contexts.c.ended.is_(None))
    .values(ended=func.now())
)
_ADD_CONTEXT = insert(boot_contexts).values(
    expires=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lifetime", type_=Double))
)
_ADD_BUNDLE, _ADD_ACTION, _ADD_MACHINE = insert(boot_bundles), insert(boot_actions), insert(machines)


class BootContextRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, prepared: Sequence[PreparedBoot]) -> None:
        """Make each context its node's only live one; those before are revoked in the same transaction."""
        if not prepared:
            return
        self.end([boot.context.node for boot in prepared])
        self._connection.execute(
            _ADD_CONTEXT,
            [
                {
                    "id": boot.context.id,
                    "node": boot.context.node,
                    "task_id": boot.context.task_id,
                    "key_digest": boot.context.key_digest,
                    "packages": dict(boot.context.packages),
                    "lifetime": boot.lifetime_seconds,
                }
                for boot in prepared
            ],
        )
        self._connection.execute(
            _ADD_BUNDLE,
            [
                {
                    "context_id": bundle.context_id,
                    "kind": bundle.kind.value,
                    "sealed": bundle.sealed,
                    "etag": bundle.etag,
                    "size": bundle.size,
                }
                for boot in prepared
                for bundle in boot.bundles
            ],
        )
        actions = [
            {
                "id": action.id,
                "context_id": action.context_id,
                "task_id": action.task_id,
                "node": action.node,
                "name": action.name,
                "signaling": action.signaling,
            }
            for boot in prepared
            for action in boot.actions
        ]
        if actions:
            self._connection.execute(_ADD_ACTION, actions)
        self._connection.execute(
            _ADD_MACHINE,
            [
                {
                    "context_id": boot.context.id,
                    "task_id": boot.context.task_id,
                    "events_digest": boot.events_digest,
                }
                for boot in prepared
            ],
        )

    def end(self, nodes: Sequence[str]) -> None:
        """Revoke the keys of these nodes, of those that have one."""
        self._connection.execute(_END, {"of_nodes": nodes})

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, BootContext]:
        """The live context that each task made, for those that have made one."""
        rows = self._connection.execute(_OF_TASKS, {"of_tasks": task_ids})
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
