"""Claims, renewals and what is left alone."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, update

from drydock.db.lease_statements import HANG_SECONDS
from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import LeaseLost
from drydock.model.queue import RenewedLease
from drydock.model.task import Lane
from tests.factories.rows import add_task, add_tree, begin, claim


def lapse(connection: Connection) -> None:
    """Every lease lapsed a second ago."""
    leased = tasks.c.lease_until.is_not(None)
    connection.execute(
        update(tasks).where(leased).values(lease_until=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 1))
    )


def test_tasks_that_are_due_longest_are_claimed_first(connection: Connection, uow: UnitOfWork) -> None:
    first, second, third = (add_task(uow) for _ in range(3))
    for seconds, task in ((1, second), (2, first), (3, third)):
        connection.execute(
            update(tasks)
            .where(tasks.c.id == task.id)
            .values(wake_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 10 - seconds))
        )
    assert [task.id for task in claim(uow, Lane.TASK, at_most=2)] == [second.id, first.id]


def test_each_lane_has_its_own_number(uow: UnitOfWork) -> None:
    add_tree(uow, ["n1", "n2", "n3"])
    claimed = uow.leases.claim("me", {Lane.TASK: 5, Lane.NODE: 2, Lane.WATCH: 5}, lease_seconds=30)
    assert {lane: len(found) for lane, found in claimed.items()} == {Lane.TASK: 1, Lane.NODE: 2, Lane.WATCH: 0}


def test_a_claimed_task_is_nobody_elses(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK, owner="a")
    assert task.lease is not None
    assert (task.lease.owner, task.lease.epoch) == ("a", 1)
    assert not claim(uow, Lane.TASK, owner="b")


def test_a_lapsed_lease_raises_the_epoch_and_is_counted(connection: Connection, uow: UnitOfWork) -> None:
    add_task(uow)
    claim(uow, Lane.TASK, owner="a")
    lapse(connection)
    (task,) = claim(uow, Lane.TASK, owner="b")
    assert task.lease is not None
    assert (task.lease.owner, task.lease.epoch, task.lapses, task.lapsed) == ("b", 2, 1, True)


def test_suspects_are_claimed_one_at_a_time(connection: Connection, uow: UnitOfWork) -> None:
    add_tree(uow, ["n1", "n2", "n3"])
    claim(uow, Lane.NODE)
    lapse(connection)
    assert len(claim(uow, Lane.NODE)) == 1
    claimed = uow.leases.claim("me", {Lane.NODE: 5}, lease_seconds=30, suspects=4)
    assert len(claimed[Lane.NODE]) == 2


def test_only_leases_that_last_are_renewed(connection: Connection, uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    assert uow.leases.renew("other", [task.id], lease_seconds=30) == []
    assert uow.leases.renew("me", [task.id], lease_seconds=30) == [RenewedLease(task.id, 1)]
    lapse(connection)
    assert uow.leases.renew("me", [task.id], lease_seconds=30) == []


def test_a_step_that_hangs_past_its_deadline_loses_its_lease(connection: Connection, uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    for seconds, renewed in ((HANG_SECONDS - 5, 1), (HANG_SECONDS + 5, 0)):
        late = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        connection.execute(update(tasks).values(deadline_at=late))
        assert len(uow.leases.renew("me", [task.id], lease_seconds=30)) == renewed


def test_a_task_that_is_handed_back_is_due_at_its_time(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    uow.leases.hand_back(task, seconds=60)
    assert not claim(uow, Lane.TASK)
    due = uow.leases.next_due_in([Lane.TASK])
    assert due is not None
    assert 55 < due <= 60
    assert uow.leases.next_due_in([Lane.NODE]) is None


def test_what_was_never_claimed_cannot_be_handed_back(uow: UnitOfWork) -> None:
    with pytest.raises(LeaseLost):
        uow.leases.hand_back(add_task(uow))


def test_steps_that_are_not_known_are_left_alone(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task, "await_nodes")
    uow.leases.hand_back(task, seconds=-1)
    known = ["deploy_nodes check_design"]
    assert not uow.leases.claim("me", {Lane.TASK: 1}, lease_seconds=30, steps=known)[Lane.TASK]
    assert uow.leases.unknown(steps=known, at_most=5).number == 1
    assert uow.leases.unknown(steps=[*known, "deploy_nodes await_nodes"], at_most=5).number == 0
