"""Boot contexts, boot actions, designs and build data on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, update

from drydock.db.tables import boot_contexts, designs
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import BootContextNotFound, DesignNotFound
from drydock.model.boot_action import BootAction, Report, ReportStatus
from drydock.model.boot_context import BootContext, BundleKind, PreparedBoot, SealedBundle
from drydock.model.task import Action, NewTask, Task


def add_task(uow: UnitOfWork) -> Task:
    return uow.task_queue.add(NewTask(Action.DEPLOY_NODES, "ref", created_by="alice"), request_digest=None)


def add_context(uow: UnitOfWork, node: str = "n1") -> BootContext:
    now = datetime.now(UTC)
    context = BootContext(
        uuid4(), node, add_task(uow).id, key_digest=uuid4().bytes, created=now, expires=now, packages={"vim": None}
    )
    bundles = [SealedBundle(context.id, kind, b"sealed " + kind.value.encode(), 5) for kind in BundleKind]
    join = BootAction(f"{context.id.hex[:26]}", context.id, context.task_id, node, "join", signaling=True)
    uow.boot_contexts.replace([PreparedBoot(context, bundles, [join], events_digest=b"", lifetime_seconds=3600)])
    return context


def test_a_new_context_replaces_the_one_before(uow: UnitOfWork) -> None:
    first = add_context(uow)
    second = add_context(uow)
    assert uow.boot_contexts.get(second.id).packages == {"vim": None}
    with pytest.raises(BootContextNotFound):
        uow.boot_contexts.get(first.id)


def test_an_ended_or_expired_context_serves_nothing(connection: Connection, uow: UnitOfWork) -> None:
    contexts = [add_context(uow, "n1"), add_context(uow, "n2")]
    uow.boot_contexts.end(["n1"])
    connection.execute(
        update(boot_contexts).where(boot_contexts.c.node == "n2").values(expires=func.now() - func.make_interval(1))
    )
    for context in contexts:
        with pytest.raises(BootContextNotFound):
            uow.boot_contexts.get(context.id)


def test_boot_actions_become_final(uow: UnitOfWork) -> None:
    context = add_context(uow)
    (action,) = uow.boot_actions.of_tasks([context.task_id])[context.task_id]
    assert (action.context_id, action.name, action.signaling, action.status) == (context.id, "join", True, None)
    failed = Report(status=ReportStatus.FAILURE)
    assert uow.reports.store(action.id, b"another's", failed).transaction is None
    assert uow.reports.store(action.id, context.key_digest, failed).transaction is not None
    assert uow.reports.store(action.id, context.key_digest, Report(ReportStatus.SUCCESS)).transaction is None
    final = uow.boot_actions.get(action.id)
    assert final.status is ReportStatus.FAILURE
    assert final.finalized is not None
    assert uow.boot_actions.of_tasks([context.task_id]) == {context.task_id: (final,)}


def test_designs_are_kept_once_and_dropped_when_unused(connection: Connection, uow: UnitOfWork) -> None:
    first = uow.designs.add("d1", b"bytes", created_by="alice")
    assert uow.designs.add("d1", b"bytes", created_by="bob") == first
    assert uow.designs.content("d1") == b"bytes"
    with pytest.raises(DesignNotFound):
        uow.designs.content("d2")
    connection.execute(update(designs).values(created=func.now() - func.make_interval(0, 0, 0, 8), named=None))
    assert uow.designs.delete_unused(older_than_days=9) == 0
    assert uow.designs.delete_unused(older_than_days=7) == 1


def test_latest_build_data_is_the_newest_of_each_generator(uow: UnitOfWork) -> None:
    task = add_task(uow)
    for generator, element in (("lshw", "1"), ("lshw", "2"), ("redfish", "3")):
        uow.build_data.add(
            node="n1", task_id=task.id, generator=generator, data_format="text/plain", data_element=element
        )
    assert [found.data_element for found in uow.build_data.of_node("n1", latest=False)] == ["1", "2", "3"]
    assert [found.data_element for found in uow.build_data.of_node("n1", latest=True)] == ["2", "3"]
    assert len(uow.build_data.of_task(task.id)) == 3
    assert uow.build_data.of_node("n2", latest=True) == ()
