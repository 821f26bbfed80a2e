"""Reports of machines: stored once, by the right key, within the limits."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, insert, select, update

from drydock.db.database import Database
from drydock.db.tables import task_messages, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import BootActionNotFound
from drydock.model.boot_action import EarlierReport, Report, ReportDetail, ReportStatus
from drydock.model.boot_context import PreparedBoot
from drydock.model.machine_limits import MAX_MESSAGES
from drydock.model.message import NewMessage
from drydock.model.task import Lane
from tests.factories.rows import add_boot, add_task, boot, claim

FAILED = Report(ReportStatus.FAILURE)


def line(text: str) -> Report:
    return Report(details=(ReportDetail(text, error=False),))


def messages(uow: UnitOfWork, prepared: PreparedBoot) -> list[str]:
    return [message.message for message in uow.tasks.get(prepared.context.task_id).result.messages]


def test_a_boot_action_becomes_final_once(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    key = prepared.context.key_digest
    assert uow.reports.store(action.id, key, FAILED).transaction is not None
    again = uow.reports.store(action.id, key, Report(ReportStatus.SUCCESS))
    assert (again.transaction, again.action.status) == (None, ReportStatus.FAILURE)
    final = uow.boot_actions.get(action.id)
    assert final.status is ReportStatus.FAILURE
    assert final.finalized is not None


def test_another_key_stores_nothing(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    refused = uow.reports.store(action.id, b"another's", line("x"))
    assert (refused.transaction, refused.key_digest) == (None, prepared.context.key_digest)
    assert messages(uow, prepared) == []


def test_a_deployment_that_has_ended_has_no_key(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    uow.boot_contexts.end(["n1"])
    refused = uow.reports.store(action.id, prepared.context.key_digest, line("x"))
    assert (refused.transaction, refused.key_digest) == (None, None)


def test_an_action_that_signals_nothing_takes_no_report(uow: UnitOfWork) -> None:
    prepared = boot(add_task(uow), signaling=False)
    uow.boot_contexts.replace([prepared])
    assert uow.reports.store(prepared.actions[0].id, prepared.context.key_digest, line("x")).transaction is None


def test_details_become_messages_and_only_a_final_report_wakes(connection: Connection, uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    (task,) = claim(uow, Lane.TASK)
    uow.leases.hand_back(task, seconds=60)
    details = tuple(ReportDetail(text, error=text != "a", extra={"n": [text == "a"]}) for text in ("a", "b\x00"))
    uow.reports.store(action.id, prepared.context.key_digest, Report(details=details))
    assert messages(uow, prepared) == ["a", "b\ufffd"]
    assert not claim(uow, Lane.TASK)
    uow.reports.store(action.id, prepared.context.key_digest, FAILED)
    # Woken by the clock, which is ahead of the time at which this transaction began.
    connection.execute(update(tasks).where(tasks.c.wake_at <= func.clock_timestamp()).values(wake_at=func.now()))
    assert [claimed.id for claimed in claim(uow, Lane.TASK)] == [task.id]


def test_past_the_limit_messages_are_left_out_and_the_status_is_not(connection: Connection, uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    task_id = prepared.context.task_id
    uow.messages.add([NewMessage(task_id, "x" * 1000)])
    for _ in range(15):
        # Doubles them.
        columns = [column for column in task_messages.c if column.name != "id"]
        connection.execute(insert(task_messages).from_select(columns, select(*columns)))
    before = connection.scalar(select(func.count()).select_from(task_messages))
    assert before is not None
    assert before > MAX_MESSAGES
    final = Report(ReportStatus.SUCCESS, (ReportDetail("too much", error=False),))
    assert uow.reports.store(action.id, prepared.context.key_digest, final).transaction is not None
    assert connection.scalar(select(func.count()).select_from(task_messages)) == before
    assert uow.boot_actions.get(action.id).status is ReportStatus.SUCCESS


def test_whether_a_transaction_stored_a_report(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    (action,) = prepared.actions
    stored = uow.reports.store(action.id, prepared.context.key_digest, line("done"))
    assert stored.transaction is not None
    assert uow.reports.shows(action, line("done"), stored.transaction)
    assert not uow.reports.shows(action, line("other"), stored.transaction)
    assert not uow.reports.shows(action, line("done"), stored.transaction + 1)
    assert not uow.reports.shows(action, FAILED, stored.transaction)


def test_idempotency_keys_are_remembered_up_to_a_limit(uow: UnitOfWork) -> None:
    (action,) = add_boot(uow).actions
    earlier = EarlierReport(b"digest", ReportStatus.SUCCESS)
    assert uow.reports.earlier(action.id, "k") is None
    uow.reports.remember(action.id, "k", earlier)
    assert uow.reports.earlier(action.id, "k") == earlier
    assert uow.reports.earlier(action.id, "other") is None
    assert uow.reports.remembers_fewer_than(2, action.id)
    assert not uow.reports.remembers_fewer_than(1, action.id)


def test_the_prepared_way_keeps_nothing_without_its_commit(database: Database) -> None:
    with database.unit_of_work() as uow:
        prepared = add_boot(uow)
        uow.commit()
    (action,) = prepared.actions
    key = prepared.context.key_digest
    assert database.report_key(action.id) == key
    with database.report_transaction(action.id, key, FAILED) as transaction:
        assert transaction.row.transaction is not None
    with database.report_transaction(action.id, key, FAILED) as transaction:
        transaction.commit()
    with database.report_transaction(action.id, key, FAILED) as transaction:
        assert transaction.row.transaction is None
    with database.unit_of_work() as uow:
        uow.boot_contexts.end(["n1"])
        uow.commit()
    assert database.report_key(action.id) is None
    with pytest.raises(BootActionNotFound):
        database.report_key("none")
