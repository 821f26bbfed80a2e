"""One hold for each node, by whatever spelling of its name, until it expires or is released."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from drydock.db.database import Database
from drydock.db.tables import operator_holds
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.operator_hold import NewHold, OperatorHold
from tests.db.blocking import blocked

LATER = datetime.now(UTC) + timedelta(days=1)


def new(node: str = "n1", *, by: str = "alice", until: datetime | None = None) -> NewHold:
    return NewHold(node, "maintenance", "a fan", by, until)


def held(uow: UnitOfWork, node: str = "n1", *, by: str = "alice", until: datetime | None = None) -> OperatorHold:
    made = uow.operator_holds.add(new(node, by=by, until=until))
    assert made is not None
    return made


def expire(connection: Connection) -> None:
    """All that have an end."""
    past = func.now() - func.make_interval(0, 0, 1)
    connection.execute(update(operator_holds).where(operator_holds.c.until.is_not(None)).values(until=past))


def test_a_hold_is_kept_as_it_was_asked_for(uow: UnitOfWork) -> None:
    made = held(uow, "N1", until=LATER)
    assert (made.node, made.kind, made.reason, made.created_by, made.until) == (
        *("N1", "maintenance", "a fan", "alice"),
        LATER,
    )
    assert abs(made.created - datetime.now(UTC)) < timedelta(minutes=1)
    assert uow.operator_holds.all() == [made]


def test_holds_are_listed_by_node(uow: UnitOfWork) -> None:
    for node in ("n2", "n3", "n1"):
        held(uow, node)
    assert [hold.node for hold in uow.operator_holds.all()] == ["n1", "n2", "n3"]


@pytest.mark.parametrize("first", [new(), new(until=LATER)], ids=["without an end", "with an end"])
@pytest.mark.parametrize("spelling", ["n1", "N1"])
def test_a_held_node_is_not_held_again(uow: UnitOfWork, first: NewHold, spelling: str) -> None:
    made = uow.operator_holds.add(first)
    assert uow.operator_holds.add(new(spelling, by="bob")) is None
    assert uow.operator_holds.all() == [made]


def test_names_are_compared_as_in_dns(uow: UnitOfWork) -> None:
    made = held(uow, "Rack1-N1")
    held(uow, "n2")
    assert uow.operator_holds.of_nodes(["RACK1-n1", "n", "n1"]) == {"rack1-n1": made}
    assert uow.operator_holds.of_nodes(["rack1-n1", "RACK1-N1"]) == {"rack1-n1": made}
    assert uow.operator_holds.of_nodes([]) == {}


def test_an_expired_hold_holds_nothing(connection: Connection, uow: UnitOfWork) -> None:
    held(uow, "n1", until=LATER)
    lasting = held(uow, "n2")
    expire(connection)
    assert uow.operator_holds.all() == [lasting]
    assert uow.operator_holds.of_nodes(["n1", "n2"]) == {"n2": lasting}
    assert not uow.operator_holds.release("n1"), "it was not held"
    assert uow.operator_holds.release("n2")


def test_an_expired_hold_is_replaced_whole(connection: Connection, uow: UnitOfWork) -> None:
    first = held(uow, "n1", until=LATER)
    expire(connection)
    second = held(uow, "N1", by="bob")
    assert uow.operator_holds.all() == [second]
    assert (second.node, second.created_by, second.until) == ("N1", "bob", None)
    assert second.created > first.created
    assert connection.scalar(select(func.count()).select_from(operator_holds)) == 1


def test_a_release_is_of_one_node_and_is_done_once(uow: UnitOfWork) -> None:
    held(uow, "n1")
    other = held(uow, "n2")
    assert uow.operator_holds.release("N1")
    assert not uow.operator_holds.release("n1")
    assert uow.operator_holds.all() == [other]
    held(uow, "n1")


def test_of_two_at_once_the_second_is_refused(database: Database, engine: Engine) -> None:
    def second() -> OperatorHold | None:
        with database.unit_of_work() as uow:
            made = uow.operator_holds.add(new("N1", by="bob"))
            uow.commit()
            return made

    with database.unit_of_work() as first:
        made = held(first)
        with blocked(engine, first, second) as refused:
            first.commit()
    assert refused.result() is None
    with database.statements() as statements:
        assert statements.operator_holds.all() == [made]


def test_of_two_at_once_the_second_holds_if_the_first_is_rolled_back(database: Database, engine: Engine) -> None:
    def second() -> OperatorHold:
        with database.unit_of_work() as uow:
            made = held(uow, by="bob")
            uow.commit()
            return made

    with database.unit_of_work() as first:
        held(first)
        with blocked(engine, first, second) as made:
            first.tasks._connection.rollback()
    with database.statements() as statements:
        assert statements.operator_holds.of_nodes(["n1"]) == {"n1": made.result()}


def test_an_expired_hold_is_replaced_once(database: Database, engine: Engine) -> None:
    def second() -> OperatorHold | None:
        with database.unit_of_work() as uow:
            return uow.operator_holds.add(new(by="bob"))

    with database.unit_of_work() as uow:
        held(uow, until=LATER)
        uow.commit()
    with engine.begin() as connection:
        expire(connection)
    with database.unit_of_work() as first:
        held(first)
        with blocked(engine, first, second) as refused:
            first.commit()
    assert refused.result() is None


def test_a_node_is_held_again_once_its_release_is_committed(database: Database, engine: Engine) -> None:
    def second() -> Mapping[str, OperatorHold]:
        with database.unit_of_work() as uow:
            held(uow, by="bob")
            return uow.operator_holds.of_nodes(["n1"])

    with database.unit_of_work() as uow:
        held(uow)
        uow.commit()
    with database.unit_of_work() as first:
        assert first.operator_holds.release("n1")
        with blocked(engine, first, second) as found:
            first.commit()
    assert found.result()["n1"].created_by == "bob"
