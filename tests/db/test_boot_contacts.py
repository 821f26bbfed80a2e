"""Contacts of machines, and what is kept of them."""

from __future__ import annotations

from uuid import uuid4

from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.boot_context import PreparedBoot
from drydock.model.machine import KeptAmounts, MachineContact
from tests.factories.rows import add_boot


def contact(uow: UnitOfWork, prepared: PreparedBoot) -> MachineContact:
    return uow.boot_contacts.of_tasks([prepared.context.task_id])[prepared.context.task_id]


def test_a_machine_that_sent_nothing_yet(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    assert contact(uow, prepared) == MachineContact()
    assert uow.boot_contacts.events_digest(prepared.context.id) == b"token"
    assert uow.boot_contacts.events_digest(uuid4()) is None


def test_the_first_contact_stays_and_the_last_moves(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    context = prepared.context
    uow.boot_contacts.record_contact(context.id, context.task_id, stage="curtin: in\x00stall")
    first = contact(uow, prepared)
    uow.boot_contacts.record_contact(context.id, context.task_id)
    second = contact(uow, prepared)
    assert first.first_contact is not None
    assert first.stage == second.stage == "curtin: in\ufffdstall"
    assert second.first_contact == first.first_contact
    assert second.last_contact > first.last_contact  # type: ignore[operator]


def test_contacts_of_many_machines_never_go_back(uow: UnitOfWork) -> None:
    one, other = add_boot(uow, "n1"), add_boot(uow, "n2")
    uow.boot_contacts.record_contacts({one.context.id: 5.0, other.context.id: 50.0, uuid4(): 1.0})
    uow.boot_contacts.record_contacts({one.context.id: 20.0})
    before, after = contact(uow, one), contact(uow, other)
    assert before.last_contact is not None
    assert after.last_contact is not None
    assert (before.last_contact - after.last_contact).total_seconds() == 45
    assert before.first_contact == before.last_contact


def test_a_contact_waits_for_no_lock(database: Database) -> None:
    with database.unit_of_work() as uow:
        prepared = add_boot(uow)
        uow.commit()
    context = prepared.context
    with database.unit_of_work() as locking, database.statements() as statements:
        locking.boot_contacts.record_contact(context.id, context.task_id)
        statements.boot_contacts.record_contacts({context.id: 0.0})
        locking.commit()


def test_what_is_kept_is_counted(uow: UnitOfWork) -> None:
    context = add_boot(uow).context
    assert uow.boot_contacts.record_contact(context.id, context.task_id) == KeptAmounts(0, 0, 0)
    uow.boot_contacts.keep(context.id, events=1, kept_bytes=10, kept_rows=2)
    uow.boot_contacts.keep(context.id, kept_bytes=5)
    assert uow.boot_contacts.record_contact(context.id, context.task_id) == KeptAmounts(1, 15, 2)
