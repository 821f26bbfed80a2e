"""Design snapshots by digest."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from drydock.db.lease_statements import OPEN
from drydock.db.tables import designs, tasks
from drydock.errors import DesignNotFound
from drydock.model.design import DESIGN_REF_PREFIX, DesignSnapshot


class DesignRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, digest: str, content: bytes, *, created_by: str) -> DesignSnapshot:
        """Keep ``content``. The same bytes again are named again: retention counts from then."""
        self._connection.execute(
            insert(designs)
            .values(digest=digest, content=content, size=len(content), created_by=created_by)
            .on_conflict_do_update(index_elements=["digest"], set_={"named": func.now()})
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
        """Raises ``DesignNotFound``."""
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
        """Delete snapshots that no task is pinned to, none that is open names, and nobody named for so long."""
        limit = func.now() - func.make_interval(0, 0, 0, older_than_days)
        pinned = select(tasks.c.id).where(tasks.c.design_digest == designs.c.digest).exists()
        # Before its first step a task has the reference alone.
        asked = select(tasks.c.id).where(tasks.c.design_ref == DESIGN_REF_PREFIX + designs.c.digest, OPEN).exists()
        return self._connection.execute(delete(designs).where(designs.c.named < limit, ~pinned, ~asked)).rowcount
