"""Design snapshots by digest.

A snapshot is kept as long as a task names it, and some time from when it was named last: uploaded again, or named by a
request. That moment is written once an hour at most, and no snapshot is deleted a day after it: whatever names one
either finds it deleted, or needs no lock.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ColumnCollection,
    ColumnElement,
    Connection,
    DateTime,
    Text,
    Update,
    delete,
    func,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from drydock.db.predicates import days_of, hours_of
from drydock.db.tables import deployed_nodes, designs, plans, tasks
from drydock.errors import DesignNotFound
from drydock.model.design import DESIGN_REF_PREFIX, DIGEST_LENGTH, DesignSnapshot

#: Fewest days that a snapshot is kept after it was named.
LEAST_DAYS = 1
# NOTE: only these columns, as others' names may be those of parameters of the statement that this is part of, which
# would be written here too.
_designs = table(
    designs.name,
    Column("digest", Text),
    Column("created", DateTime(timezone=True)),
    Column("named", DateTime(timezone=True)),
)


#: The beginning of a reference, as ``snapshot_of`` reads it: without what may follow the digest.
_referred = func.substr(func.lower(func.ltrim(tasks.c.design_ref)), 1, len(DESIGN_REF_PREFIX) + DIGEST_LENGTH)


def _rested(columns: ColumnCollection[str, Any]) -> ColumnElement[bool]:
    """The last naming is so old that the next is to be written."""
    return func.coalesce(columns.named, columns.created) < func.now() - hours_of(1)


def named(digest: str | ColumnElement[str]) -> Update:
    """Record that this snapshot is named now, at most once an hour."""
    return update(_designs).where(_designs.c.digest == digest, _rested(_designs.c)).values(named=func.now())


class DesignRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, digest: str, content: bytes, *, created_by: str) -> DesignSnapshot:
        """Store ``content``. Storing the same bytes again prolongs the time that they are kept."""
        self._connection.execute(
            insert(designs)
            .values(digest=digest, content=content, size=len(content), created_by=created_by)
            .on_conflict_do_update(index_elements=["digest"], set_={"named": func.now()}, where=_rested(designs.c))
        )
        return self.get(digest)

    def get(self, digest: str) -> DesignSnapshot:
        """Raises ``DesignNotFound``."""
        row = self._connection.execute(
            select(designs.c.digest, designs.c.size, designs.c.created, designs.c.created_by).where(
                designs.c.digest == digest
            )
        ).one_or_none()
        if row is None:
            raise DesignNotFound(f"there is no design {digest}")
        return DesignSnapshot(row.digest, row.size, row.created, row.created_by)

    def content(self, digest: str) -> bytes:
        """Reading a snapshot names it. Raises ``DesignNotFound``."""
        self._connection.execute(named(digest))
        content = self._connection.scalar(select(designs.c.content).where(designs.c.digest == digest))
        if content is None:
            raise DesignNotFound(f"there is no design {digest}")
        return bytes(content)

    def all(self) -> tuple[DesignSnapshot, ...]:
        rows = self._connection.execute(
            select(designs.c.digest, designs.c.size, designs.c.created, designs.c.created_by).order_by(
                designs.c.created, designs.c.digest
            )
        )
        return tuple(DesignSnapshot(*row) for row in rows)

    def delete_unused(self, *, older_than_days: int) -> int:
        """Delete snapshots that nothing needs any more, and that were last named before that time."""
        limit = func.now() - days_of(max(older_than_days, LEAST_DAYS))
        pinned = select(tasks.c.id).where(tasks.c.design_digest == designs.c.digest).exists()
        # Tasks that have not been pinned to it yet.
        referred = select(tasks.c.id).where(_referred == DESIGN_REF_PREFIX + designs.c.digest).exists()
        planned = select(plans.c.id).where(plans.c.design_digest == designs.c.digest).exists()
        # What changes for the site is read from the design of the newest deployment; that of a plan has its task.
        deployed = select(deployed_nodes.c.node).where(deployed_nodes.c.design_digest == designs.c.digest).exists()
        old = func.coalesce(designs.c.named, designs.c.created) < limit
        unused = delete(designs).where(old, ~pinned, ~referred, ~planned, ~deployed)
        return self._connection.execute(unused).rowcount
