"""Design snapshots: stored once, kept as long as they are named."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from drydock.db.tables import designs
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.actions import Action
from drydock.model.design import DESIGN_REF_PREFIX
from drydock.model.task import NewTask


def age(connection: Connection, days: int) -> None:
    connection.execute(update(designs).values(created=func.now() - func.make_interval(0, 0, 0, days), named=None))


def test_designs_are_kept_once_and_dropped_when_unused(connection: Connection, uow: UnitOfWork) -> None:
    first = uow.designs.add("d1", b"bytes", created_by="alice")
    assert uow.designs.add("d1", b"bytes", created_by="bob") == first
    assert uow.designs.content("d1") == b"bytes"
    assert uow.designs.all() == (first,)
    age(connection, 8)
    assert uow.designs.delete_unused(older_than_days=9) == 0
    assert uow.designs.delete_unused(older_than_days=7) == 1
    assert uow.designs.all() == ()


def test_a_design_that_was_named_since_is_kept(connection: Connection, uow: UnitOfWork) -> None:
    digest = "d" * 64
    uow.designs.add(digest, b"bytes", created_by="alice")
    for name in (
        lambda: uow.designs.content(digest),
        lambda: uow.designs.add(digest, b"bytes", created_by="bob"),
        lambda: uow.task_queue.add(
            NewTask(Action.VERIFY_SITE, f"{DESIGN_REF_PREFIX}{digest}", created_by="alice"), request_digest=None
        ),
    ):
        age(connection, 8)
        name()
        assert connection.scalar(select(designs.c.named)) is not None
        assert uow.designs.delete_unused(older_than_days=7) == 0


def test_a_design_that_a_task_refers_to_is_kept(connection: Connection, uow: UnitOfWork) -> None:
    for digest in ("a" * 64, "b" * 64, "c" * 64):
        uow.designs.add(digest, b"bytes", created_by="alice")
    referring = NewTask(Action.VERIFY_SITE, f" {DESIGN_REF_PREFIX.upper()}{'A' * 64}", created_by="alice")
    pinned = NewTask(Action.VERIFY_SITE, "elsewhere", created_by="alice", design_digest="b" * 64)
    for new in (referring, pinned):
        uow.task_queue.add(new, request_digest=None)
    age(connection, 8)
    assert uow.designs.delete_unused(older_than_days=7) == 1
    assert [snapshot.digest[0] for snapshot in uow.designs.all()] == ["a", "b"]


def test_no_design_is_deleted_within_a_day(uow: UnitOfWork) -> None:
    uow.designs.add("d1", b"bytes", created_by="alice")
    assert uow.designs.delete_unused(older_than_days=0) == 0
