"""What machines said of themselves on their way, one row for each boot context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Double, Update, Uuid, bindparam, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from drydock.db.boot_contexts import is_named
from drydock.db.recordset import one_of
from drydock.db.rows import storable
from drydock.db.tables import boot_contexts, machines
from drydock.model.machine import MachineContact

_OF_TASKS = select(machines.c.task_id, machines.c.first_contact, machines.c.last_contact, machines.c.stage).where(
    one_of(machines.c.task_id, "of_tasks")
)


def _heard() -> Update:
    """Many machines at once. One whose row is locked is left out: who has it locked writes its contact."""
    columns = func.unnest(
        cast(bindparam("of_contexts", type_=ARRAY(Uuid)), ARRAY(Uuid)),
        cast(bindparam("ages", type_=ARRAY(Double)), ARRAY(Double)),
    )
    said = columns.table_valued("context_id", "age").render_derived(name="said")
    when = (func.now() - func.make_interval(0, 0, 0, 0, 0, 0, said.c.age)).label("at")
    found = (
        select(machines.c.context_id, when)
        .join(said, said.c.context_id == machines.c.context_id)
        .with_for_update(of=machines, skip_locked=True)
        .cte("found")
    )
    return (
        update(machines)
        .where(machines.c.context_id == found.c.context_id)
        .values(
            first_contact=func.coalesce(machines.c.first_contact, found.c.at),
            last_contact=func.greatest(machines.c.last_contact, found.c.at),
        )
    )


_HEARD = _heard()


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one deployment: events that became messages, bytes and rows of build data."""

    events: int
    kept_bytes: int
    kept_rows: int


class MachineRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def events_digest(self, context_id: UUID) -> bytes | None:
        """SHA-256 of the installer's token, None where none was made."""
        found = self._connection.scalar(select(machines.c.events_digest).where(machines.c.context_id == context_id))
        return None if found is None else bytes(found)

    def live_context(self, node: str) -> UUID | None:
        """The node's boot context, if it has one that has neither ended nor expired."""
        found: UUID | None = self._connection.scalar(
            select(boot_contexts.c.id)
            .where(is_named(node), boot_contexts.c.ended.is_(None), boot_contexts.c.expires > func.now())
            .order_by((boot_contexts.c.node == node).desc())
            .limit(1)
        )
        return found

    def hear(self, context_id: UUID, task_id: UUID, *, stage: str | None = None) -> Kept:
        """The machine was heard of. Answers what was kept before.

        Its row is locked until the transaction ends: what one machine sends is taken one after the other.
        """
        now = func.clock_timestamp()
        changes: dict[str, ColumnElement[object] | str] = {
            "first_contact": func.coalesce(machines.c.first_contact, now),
            "last_contact": now,
        }
        if stage is not None:
            changes["stage"] = storable(stage)
        row = self._connection.execute(
            insert(machines)
            .values(
                context_id=context_id, task_id=task_id, first_contact=now, last_contact=now, stage=storable(stage or "")
            )
            .on_conflict_do_update(index_elements=["context_id"], set_=changes)
            .returning(machines.c.events, machines.c.kept_bytes, machines.c.kept_rows)
        ).one()
        return Kept(row.events, row.kept_bytes, row.kept_rows)

    def heard(self, ages: Mapping[UUID, float]) -> None:
        """By boot context: so many seconds ago the machine was heard of, and said nothing that is kept here.

        Waits for no lock, hence may be called whatever others have locked.
        """
        self._connection.execute(_HEARD, {"of_contexts": list(ages), "ages": list(ages.values())})

    def keep(self, context_id: UUID, *, events: int = 0, kept_bytes: int = 0, kept_rows: int = 0) -> None:
        """Count what was kept of it."""
        self._connection.execute(
            machines.update()
            .where(machines.c.context_id == context_id)
            .values(
                events=machines.c.events + events,
                kept_bytes=machines.c.kept_bytes + kept_bytes,
                kept_rows=machines.c.kept_rows + kept_rows,
            )
        )

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, MachineContact]:
        """Of each task that has prepared a machine's boot."""
        if not task_ids:
            return {}
        rows = self._connection.execute(_OF_TASKS, {"of_tasks": task_ids})
        return {row.task_id: MachineContact(row.first_contact, row.last_contact, row.stage) for row in rows}
