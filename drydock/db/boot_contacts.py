"""Contacts of machines during a deployment and the amounts kept of them: one row per boot context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Double, Update, Uuid, bindparam, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from drydock.db.predicates import NOW, seconds_of
from drydock.db.recordset import one_of
from drydock.db.rows import storable
from drydock.db.tables import boot_contacts
from drydock.model.machine import KeptAmounts, MachineContact

_OF_TASKS = select(
    boot_contacts.c.task_id, boot_contacts.c.first_contact, boot_contacts.c.last_contact, boot_contacts.c.stage
).where(one_of(boot_contacts.c.task_id, "of_tasks"))


def _record_contacts() -> Update:
    """Many machines at once. A locked row is left out: the transaction that has it locked writes the contact."""
    columns = func.unnest(
        cast(bindparam("of_contexts", type_=ARRAY(Uuid)), ARRAY(Uuid)),
        cast(bindparam("ages", type_=ARRAY(Double)), ARRAY(Double)),
    )
    contacts = columns.table_valued("context_id", "age").render_derived(name="contacts")
    when = (func.now() - seconds_of(contacts.c.age)).label("at")
    found = (
        select(boot_contacts.c.context_id, when)
        .join(contacts, contacts.c.context_id == boot_contacts.c.context_id)
        .with_for_update(of=boot_contacts, skip_locked=True)
        .cte("found")
    )
    return (
        update(boot_contacts)
        .where(boot_contacts.c.context_id == found.c.context_id)
        .values(
            first_contact=func.coalesce(boot_contacts.c.first_contact, found.c.at),
            last_contact=func.greatest(boot_contacts.c.last_contact, found.c.at),
        )
    )


RECORD_CONTACTS = _record_contacts()


class BootContactStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def events_digest(self, context_id: UUID) -> bytes | None:
        """SHA-256 of the installer's token, None where none was made."""
        found = self._connection.scalar(
            select(boot_contacts.c.events_digest).where(boot_contacts.c.context_id == context_id)
        )
        return None if found is None else bytes(found)

    def record_contacts(self, ages: Mapping[UUID, float]) -> None:
        """``ages``: by boot context, how many seconds ago the machine last sent a request.

        Waits for no lock: rows that are locked are left out.
        """
        self._connection.execute(RECORD_CONTACTS, {"of_contexts": list(ages), "ages": list(ages.values())})

    def of_tasks(self, task_ids: Sequence[UUID]) -> Mapping[UUID, MachineContact]:
        """Of each task that has prepared a machine's boot."""
        if not task_ids:
            return {}
        rows = self._connection.execute(_OF_TASKS, {"of_tasks": task_ids})
        return {row.task_id: MachineContact(row.first_contact, row.last_contact, row.stage) for row in rows}


class BootContactRepository(BootContactStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def record_contact(self, context_id: UUID, task_id: UUID, *, stage: str | None = None) -> KeptAmounts:
        """Record that the machine sent something now. Returns what was kept before.

        Its row is locked until the transaction ends: requests of one machine are stored one after the other.
        """
        changes: dict[str, ColumnElement[object] | str] = {
            "first_contact": func.coalesce(boot_contacts.c.first_contact, NOW),
            "last_contact": NOW,
        }
        if stage is not None:
            changes["stage"] = storable(stage)
        row = self._connection.execute(
            insert(boot_contacts)
            .values(
                context_id=context_id, task_id=task_id, first_contact=NOW, last_contact=NOW, stage=storable(stage or "")
            )
            .on_conflict_do_update(index_elements=["context_id"], set_=changes)
            .returning(boot_contacts.c.events, boot_contacts.c.kept_bytes, boot_contacts.c.kept_rows)
        ).one()
        return KeptAmounts(row.events, row.kept_bytes, row.kept_rows)

    def keep(self, context_id: UUID, *, events: int = 0, kept_bytes: int = 0, kept_rows: int = 0) -> None:
        """Add to the amounts kept of the deployment."""
        self._connection.execute(
            boot_contacts.update()
            .where(boot_contacts.c.context_id == context_id)
            .values(
                events=boot_contacts.c.events + events,
                kept_bytes=boot_contacts.c.kept_bytes + kept_bytes,
                kept_rows=boot_contacts.c.kept_rows + kept_rows,
            )
        )
