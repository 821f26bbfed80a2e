"""Boot contexts and their sealed bundles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Insert,
    LargeBinary,
    Row,
    Table,
    TableValuedAlias,
    Text,
    Update,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from drydock.db.predicates import has_name, is_live, is_unrevoked, seconds_of
from drydock.db.recordset import one_of, recordset
from drydock.db.tables import boot_actions, boot_bundles, boot_contacts, boot_contexts
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BootContext, PreparedBoot

#: Of bundles in one statement, which takes several times as much for a moment.
_MOST_BYTES = 16 * 1024 * 1024
_OF_TASKS = select(boot_contexts).where(one_of(boot_contexts.c.task_id, "of_tasks"), is_live(boot_contexts))
_LIVE_OF_TASKS = select(boot_contexts.c.task_id, boot_contexts.c.id).where(
    one_of(boot_contexts.c.task_id, "of_tasks"), is_live(boot_contexts)
)


def _end(which: ColumnElement[bool]) -> Update:
    found = select(boot_contexts.c.id).where(which, is_unrevoked(boot_contexts))
    locked = found.order_by(boot_contexts.c.node).with_for_update(key_share=True).cte("locked")
    return update(boot_contexts).where(boot_contexts.c.id == locked.c.id).values(ended=func.now())


END = _end(one_of(boot_contexts.c.node, "of_nodes"))
END_OF_TASKS = _end(one_of(boot_contexts.c.task_id, "of_tasks"))

_contexts = recordset(
    "contexts",
    id=Uuid,
    node=Text,
    task_id=Uuid,
    key_digest=Text,
    packages=JSONB,
    contents=JSONB,
    lifetime=Double,
    events_digest=Text,
)
#: One array per column: as JSON, a bundle would be in memory three times.
_bundles = (
    func.unnest(
        bindparam("bundle_contexts", type_=ARRAY(Uuid)),
        bindparam("bundle_kinds", type_=ARRAY(Text)),
        bindparam("bundles_sealed", type_=ARRAY(LargeBinary)),
        bindparam("bundle_sizes", type_=ARRAY(BigInteger)),
    )
    .table_valued("context_id", "kind", "sealed", "size", name="bundles")
    .render_derived()
)
_actions = recordset("actions", id=Text, context_id=Uuid, task_id=Uuid, node=Text, name=Text, signaling=Boolean)


def _added(table: Table, values: Mapping[str, ColumnElement[Any]]) -> Insert:
    return insert(table).from_select(list(values), select(*values.values()))


def _same(rows: TableValuedAlias, *names: str) -> dict[str, ColumnElement[Any]]:
    return {name: rows.c[name] for name in names}


_new_contexts = _same(_contexts, "id", "node", "task_id", "packages", "contents") | {
    "key_digest": func.decode(_contexts.c.key_digest, "hex"),
    "expires": func.now() + seconds_of(_contexts.c.lifetime),
}
_new_bundles = _same(_bundles, "context_id", "kind", "sealed", "size")
_new_actions = _same(_actions, "id", "context_id", "task_id", "node", "name", "signaling")
_new_contacts = _same(_contexts, "task_id") | {
    "context_id": _contexts.c.id,
    "events_digest": func.decode(_contexts.c.events_digest, "hex"),
}
#: Everything of several contexts in one round trip.
ADD_CONTEXTS = _added(boot_contacts, _new_contacts).add_cte(
    _added(boot_contexts, _new_contexts).cte("new_contexts"),
    _added(boot_bundles, _new_bundles).cte("new_bundles"),
    _added(boot_actions, _new_actions).cte("new_actions"),
)


class BootContextStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def end(self, nodes: Sequence[str]) -> None:
        """Revoke the keys of those of these nodes that have one."""
        self._connection.execute(END, {"of_nodes": nodes})

    def end_of_tasks(self, task_ids: Sequence[UUID]) -> None:
        """Revoke the keys that these tasks made."""
        if task_ids:
            self._connection.execute(END_OF_TASKS, {"of_tasks": task_ids})

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, BootContext]:
        """The live context that each task made, for those that have made one."""
        rows = self._connection.execute(_OF_TASKS, {"of_tasks": task_ids})
        return {row.task_id: _from_row(row) for row in rows}

    def live_of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """The context's id by task; cheaper than ``of_tasks`` when polling many nodes."""
        rows = self._connection.execute(_LIVE_OF_TASKS, {"of_tasks": task_ids})
        return {row.task_id: row.id for row in rows}

    def contents(self, context_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """What is kept of the contents of their assets; those without are of a version that did not."""
        wanted = select(boot_contexts.c.id, boot_contexts.c.contents)
        rows = self._connection.execute(
            wanted.where(one_of(boot_contexts.c.id, "ids"), boot_contexts.c.contents.is_not(None)), {"ids": context_ids}
        )
        return {row.id: row.contents for row in rows}

    def live_context(self, node: str) -> UUID | None:
        """The node's boot context, if it has one that has neither ended nor expired."""
        found: UUID | None = self._connection.scalar(
            select(boot_contexts.c.id)
            .where(has_name(boot_contexts.c.node, node), is_live(boot_contexts))
            .order_by((boot_contexts.c.node == node).desc())
            .limit(1)
        )
        return found

    def get(self, context_id: UUID) -> BootContext:
        """A live context. Raises ``BootContextNotFound``, also for one that ended or expired."""
        row = self._connection.execute(
            select(boot_contexts).where(boot_contexts.c.id == context_id, is_live(boot_contexts))
        ).one_or_none()
        if row is None:
            raise BootContextNotFound("this deployment has ended")
        return _from_row(row)


class BootContextRepository(BootContextStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def replace(self, prepared: Sequence[PreparedBoot]) -> None:
        """Make each context the only live one of its node; earlier ones are revoked in the same transaction."""
        if not prepared:
            return
        self.end([boot.context.node for boot in prepared])
        for part in _parts(prepared):
            self._add(part)

    def _add(self, prepared: Sequence[PreparedBoot]) -> None:
        bundles = [bundle for boot in prepared for bundle in boot.bundles]
        self._connection.execute(
            ADD_CONTEXTS,
            {
                "contexts": [
                    {
                        "id": str(boot.context.id),
                        "node": boot.context.node,
                        "task_id": str(boot.context.task_id),
                        "key_digest": boot.context.key_digest.hex(),
                        "packages": dict(boot.context.packages),
                        "contents": boot.contents,
                        "lifetime": boot.lifetime_seconds,
                        "events_digest": boot.events_digest.hex(),
                    }
                    for boot in prepared
                ],
                "bundle_contexts": [bundle.context_id for bundle in bundles],
                "bundle_kinds": [bundle.kind.value for bundle in bundles],
                "bundles_sealed": [bundle.sealed for bundle in bundles],
                "bundle_sizes": [bundle.size for bundle in bundles],
                "actions": [
                    {
                        "id": action.id,
                        "context_id": str(action.context_id),
                        "task_id": str(action.task_id),
                        "node": action.node,
                        "name": action.name,
                        "signaling": action.signaling,
                    }
                    for boot in prepared
                    for action in boot.actions
                ],
            },
        )


def _parts(prepared: Sequence[PreparedBoot]) -> Iterator[Sequence[PreparedBoot]]:
    """Parts of one statement each. Nearly always there is one part; what is large is sent by itself."""
    part: list[PreparedBoot] = []
    for boot in prepared:
        if part and sum(before.size for before in part) + boot.size > _MOST_BYTES:
            yield part
            part = []
        part.append(boot)
    yield part


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
