"""What the deployed nodes were made from: the last deployment counts, and it outlives its task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, func, update

from drydock.db.database import Database
from drydock.db.tables import deployed_nodes, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.deployed_node import NewDeployedNode
from tests.db.blocking import blocked
from tests.factories.rows import add_task

Write = Callable[[UnitOfWork, Sequence[str]], None]


def new(node: str, image: str | None = "jammy") -> NewDeployedNode:
    sections = {"platform": {"image": image, "tags": ["a", None]}}
    return NewDeployedNode(node, uuid4(), uuid4(), "d" * 64, image, sections, {"platform": "1"}, "alice")


def record(uow: UnitOfWork, nodes: Sequence[str]) -> None:
    uow.deployed_nodes.record([new(node) for node in nodes])


def remove(uow: UnitOfWork, nodes: Sequence[str]) -> None:
    uow.deployed_nodes.remove(nodes)


def test_a_record_is_kept_as_it_was_given(uow: UnitOfWork) -> None:
    given = new("n1")
    uow.deployed_nodes.record([given])
    found = uow.deployed_nodes.all()["n1"]
    kept = {name: value for name, value in asdict(found).items() if name != "deployed"}
    assert {**kept, "sections": given.sections} == asdict(given)
    assert uow.deployed_nodes.sections(["n1"]) == {"n1": given.sections}
    assert uow.deployed_nodes.of_nodes(["n1"]) == {"n1": found}


def test_only_the_nodes_that_are_asked_for_are_found(uow: UnitOfWork) -> None:
    record(uow, ["n1", "n2", "n3"])
    asked = ["n1", "n3", "n4", "N2"]
    # By the names that are asked for, which are compared as in DNS.
    assert set(uow.deployed_nodes.of_nodes(asked)) == {"n1", "n3", "N2"}
    assert set(uow.deployed_nodes.sections(asked)) == {"n1", "n3", "N2"}
    assert uow.deployed_nodes.of_nodes([]) == {}
    assert uow.deployed_nodes.sections([]) == {}
    assert set(uow.deployed_nodes.all()) == {"n1", "n2", "n3"}


def test_one_node_is_found_as_in_dns(uow: UnitOfWork) -> None:
    record(uow, ["Rack1-n1", "n2"])
    found = uow.deployed_nodes.named("rack1-N1")
    assert found is not None
    assert found.node == "Rack1-n1"
    assert uow.deployed_nodes.named("n1") is None


def test_nodes_are_found_as_in_dns_by_the_given_names(uow: UnitOfWork) -> None:
    sections = {"contents": {"key": "k", "assets": {}}}
    given = [replace(new(node), sections=sections) for node in ("Rack1-n1", "n2")]
    uow.deployed_nodes.record([*given, new("n3")])
    asked = ["rack1-N1", "n2", "N3", "n4"]
    assert set(uow.deployed_nodes.of_nodes(asked)) == {"rack1-N1", "n2", "N3"}
    assert set(uow.deployed_nodes.sections(asked)) == {"rack1-N1", "n2", "N3"}
    assert uow.deployed_nodes.contents(asked) == dict.fromkeys(["rack1-N1", "n2"], sections["contents"])
    assert uow.deployed_nodes.contents([]) == {}


def test_a_second_deployment_takes_the_place_of_the_first(connection: Connection, uow: UnitOfWork) -> None:
    record(uow, ["n1", "n2"])
    connection.execute(update(deployed_nodes).values(deployed=func.now() - func.make_interval(0, 0, 0, 1)))
    before = uow.deployed_nodes.all()
    again = NewDeployedNode("n1", uuid4(), uuid4(), "e" * 64, None, {"site": {}}, {"site": "2"}, "bob")
    uow.deployed_nodes.record([again])
    after = uow.deployed_nodes.all()
    kept = {name: value for name, value in asdict(after["n1"]).items() if name != "deployed"}
    assert {**kept, "sections": uow.deployed_nodes.sections(["n1"])["n1"]} == asdict(again)
    assert after["n1"].deployed - before["n1"].deployed == timedelta(days=1)
    assert after["n2"] == before["n2"]


def test_what_is_removed_is_gone_and_the_rest_stays(uow: UnitOfWork) -> None:
    record(uow, ["n1", "n2", "n3"])
    uow.deployed_nodes.remove(["n3", "n1", "unknown"])
    assert set(uow.deployed_nodes.all()) == {"n2"}
    uow.deployed_nodes.remove([])
    uow.deployed_nodes.record([])
    assert set(uow.deployed_nodes.all()) == {"n2"}


def test_a_record_outlives_its_task(connection: Connection, uow: UnitOfWork) -> None:
    task = add_task(uow)
    uow.task_signals.terminate(task.id, by="bob")
    uow.deployed_nodes.record([NewDeployedNode("n1", task.id, uuid4(), "d", None, {}, {}, "alice")])
    connection.execute(update(tasks).values(updated=func.now() - func.make_interval(0, 0, 0, 8)))
    assert uow.retention.delete_tasks(older_than_days=7, at_most=1) == 1
    assert uow.deployed_nodes.all()["n1"].task_id == task.id


@pytest.mark.parametrize("write", [record, remove])
def test_rows_are_locked_in_the_order_of_the_nodes(database: Database, engine: Engine, write: Write) -> None:
    """The second has locked nothing that the first needs while it waits for it."""

    def second() -> None:
        with database.unit_of_work() as uow:
            write(uow, ["n2", "n1"])
            uow.commit()

    with database.unit_of_work() as uow:
        # Read in the order in which they were written, unless sorted.
        record(uow, ["n2"])
        record(uow, ["n1"])
        uow.commit()
    with database.unit_of_work() as first:
        write(first, ["n1"])
        with blocked(engine, first, second) as written:
            write(first, ["n2"])
            first.commit()
    written.result()


def test_of_two_at_once_the_last_one_counts(database: Database, engine: Engine) -> None:
    def second() -> None:
        with database.unit_of_work() as uow:
            uow.deployed_nodes.record([new("n1", "noble")])
            uow.commit()

    with database.unit_of_work() as first:
        record(first, ["n1"])
        with blocked(engine, first, second) as written:
            first.commit()
    written.result()
    with database.statements() as statements:
        assert {node: each.image for node, each in statements.deployed_nodes.all().items()} == {"n1": "noble"}
