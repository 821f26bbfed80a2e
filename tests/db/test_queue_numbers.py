"""How much work there is."""

from __future__ import annotations

from sqlalchemy import Connection, func, update

from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.queue import LaneNumbers
from drydock.model.task import Lane
from tests.factories.rows import add_tree, claim


def test_leased_due_and_waiting_tasks_by_lane(connection: Connection, uow: UnitOfWork) -> None:
    add_tree(uow, ["n1", "n2", "n3"])
    claim(uow, Lane.NODE, at_most=1)
    (waiting,) = claim(uow, Lane.NODE, at_most=1)
    uow.leases.hand_back(waiting, seconds=60)
    connection.execute(
        update(tasks)
        .where(tasks.c.parent_id.is_(None))
        .values(wake_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 7))
    )
    numbers = {lane.lane: lane for lane in uow.queue_numbers()}
    node = numbers["node"]
    assert (node.leased, node.due, node.waiting) == (1, 1, 1)
    assert numbers["task"] == LaneNumbers("task", leased=0, due=1, waiting=0, oldest=7.0)


def test_a_lapsed_lease_counts_as_due(connection: Connection, uow: UnitOfWork) -> None:
    add_tree(uow, ["n1"])
    claim(uow, Lane.NODE)
    leased = tasks.c.lease_until.is_not(None)
    connection.execute(update(tasks).where(leased).values(lease_until=func.now() - func.make_interval(0, 0, 0, 1)))
    numbers = {lane.lane: lane for lane in uow.queue_numbers()}
    assert (numbers["node"].leased, numbers["node"].due) == (0, 1)
