"""What every repository must do, whatever it stores."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, Table, func, select, text, update

from drydock import db
from drydock.db.database import Database
from drydock.db.tables import boot_actions, metadata, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import (
    BootActionNotFound,
    BootContextNotFound,
    DesignNotFound,
    NotFound,
    PlanNotFound,
    TaskNotFound,
)
from drydock.model.deployed_node import NewDeployedNode
from drydock.model.event import Position
from drydock.model.message import NewMessage
from drydock.model.operator_hold import NewHold
from drydock.model.plan import Decision, NewPlan, PlannedNode
from drydock.model.task import Lane, TaskQuery
from tests.factories.rows import add_boot, add_tree, claim, finish
from tests.factories.tasks import new_task


@dataclass(frozen=True, slots=True)
class Missing:
    """Reads or changes what is not there."""

    use: Callable[[UnitOfWork], object]
    error: type[NotFound]


MISSING = {
    "tasks.get": Missing(lambda uow: uow.tasks.get(uuid4()), TaskNotFound),
    "tasks.version": Missing(lambda uow: uow.tasks.version(uuid4()), TaskNotFound),
    "tasks.page": Missing(lambda uow: uow.tasks.page(TaskQuery(marker=uuid4())), TaskNotFound),
    "task_signals.terminate": Missing(lambda uow: uow.task_signals.terminate(uuid4(), by="bob"), TaskNotFound),
    "retries.lock": Missing(lambda uow: uow.retries.lock(uuid4()), TaskNotFound),
    "events.page": Missing(lambda uow: uow.events.page(uuid4(), Position(), at_most=1), TaskNotFound),
    "designs.get": Missing(lambda uow: uow.designs.get("0" * 64), DesignNotFound),
    "designs.content": Missing(lambda uow: uow.designs.content("0" * 64), DesignNotFound),
    "confirmations.confirm": Missing(
        lambda uow: uow.confirmations.confirm(uuid4(), step=None, by="bob", note=""), TaskNotFound
    ),
    "plans.get": Missing(lambda uow: uow.plans.get("none"), PlanNotFound),
    "rollouts.state": Missing(lambda uow: uow.rollouts.state(uuid4()), TaskNotFound),
    "rollouts.pause": Missing(lambda uow: uow.rollouts.pause(uuid4(), by="bob"), TaskNotFound),
    "boot_contexts.get": Missing(lambda uow: uow.boot_contexts.get(uuid4()), BootContextNotFound),
    "boot_actions.get": Missing(lambda uow: uow.boot_actions.get("none"), BootActionNotFound),
    "reports.lock": Missing(lambda uow: uow.reports.lock("none"), BootActionNotFound),
}


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_what_is_not_there_is_an_error_that_says_so(uow: UnitOfWork, missing: Missing) -> None:
    with pytest.raises(missing.error):
        missing.use(uow)


EMPTY: dict[str, Callable[[UnitOfWork], object]] = {
    "tasks.children": lambda uow: uow.tasks.children(uuid4()),
    "tasks.outcomes": lambda uow: uow.tasks.outcomes(uuid4()),
    "tasks.of_deployments": lambda uow: uow.tasks.of_deployments([uuid4()]),
    "tasks.page": lambda uow: uow.tasks.page(TaskQuery()).tasks,
    "leases.claim": lambda uow: claim(uow, Lane.TASK),
    "leases.renew": lambda uow: uow.leases.renew("me", [uuid4()], lease_seconds=30),
    "messages.of_tasks": lambda uow: uow.messages.of_tasks([uuid4()]),
    "messages.last_words": lambda uow: uow.messages.last_words([uuid4()], ["x"]),
    "boot_contexts.of_tasks": lambda uow: uow.boot_contexts.of_tasks([uuid4()]),
    "boot_contexts.live_of_tasks": lambda uow: uow.boot_contexts.live_of_tasks([uuid4()]),
    "boot_actions.of_tasks": lambda uow: uow.boot_actions.of_tasks([uuid4()]),
    "boot_contacts.of_tasks": lambda uow: uow.boot_contacts.of_tasks([uuid4()]),
    "build_data.of_task": lambda uow: uow.build_data.of_task(uuid4()),
    "build_data.of_node": lambda uow: uow.build_data.of_node("n1", latest=True),
    "build_data.tasks_with_any": lambda uow: uow.build_data.tasks_with_any([uuid4()]),
    "confirmations.of_tasks": lambda uow: uow.confirmations.of_tasks([uuid4()]),
    "deployed_nodes.all": lambda uow: uow.deployed_nodes.all(),
    "deployed_nodes.named": lambda uow: uow.deployed_nodes.named("n1"),
    "deployed_nodes.of_nodes": lambda uow: uow.deployed_nodes.of_nodes(["n1"]),
    "deployed_nodes.sections": lambda uow: uow.deployed_nodes.sections(["n1"]),
    "designs.all": lambda uow: uow.designs.all(),
    "operator_holds.all": lambda uow: uow.operator_holds.all(),
    "operator_holds.of_nodes": lambda uow: uow.operator_holds.of_nodes(["n1"]),
    "operator_holds.release": lambda uow: uow.operator_holds.release("n1"),
    "plans.apply": lambda uow: uow.plans.apply("none", uuid4()),
    "plans.newest": lambda uow: uow.plans.newest(10),
    "plans.nodes": lambda uow: uow.plans.nodes("none", limit=10),
    "plans.prepared_site": lambda uow: uow.plans.prepared_site(),
    "plans.touched": lambda uow: uow.plans.touched("none"),
    "plans.unsuccessful": lambda uow: uow.plans.unsuccessful([uuid4()]),
    "retries.settled": lambda uow: uow.retries.settled(uuid4()),
    "retries.settled_meanwhile": lambda uow: uow.retries.settled_meanwhile([uuid4()]),
    "rollouts.gates": lambda uow: uow.rollouts.gates([uuid4()]),
    "queue_numbers": lambda uow: uow.queue_numbers(),
    "outcomes.lock": lambda uow: uow.outcomes.lock([]),
    "outcomes.enter": lambda uow: uow.outcomes.enter([]),
    "holds.hold_nodes": lambda uow: uow.holds.hold_nodes([]),
    "holds.take_slots": lambda uow: uow.holds.take_slots([], at_most=1),
}


@pytest.mark.parametrize("read", EMPTY.values(), ids=EMPTY)
def test_of_nothing_there_is_nothing(uow: UnitOfWork, read: Callable[[UnitOfWork], object]) -> None:
    assert not read(uow)


def everything(uow: UnitOfWork) -> None:
    """A write of each repository."""
    _, (subtask, _) = add_tree(uow, ["n1", "n2"])
    (claimed, _) = claim(uow, Lane.NODE)
    uow.holds.hold_nodes([claimed])
    uow.holds.take_slots([claimed.id], at_most=1)
    uow.messages.add([NewMessage(subtask.id, "a line")])
    uow.designs.add("d", b"bytes", created_by="alice")
    add_boot(uow)
    uow.confirmations.ask(subtask.id, "power_off")
    uow.operator_holds.add(NewHold("n1", "maintenance", "a fan", "alice", None))
    uow.build_data.add(node="n1", task_id=subtask.id, generator="lshw", data_format="text/plain", data_element="{}")
    uow.deployed_nodes.record([NewDeployedNode("n1", subtask.id, uuid4(), "d", None, {}, {}, "alice")])
    uow.plans.add(
        NewPlan("p", "d", None, False, (), (1,), None, "alice", [PlannedNode("n1", None, Decision.KEEP, (), {})])
    )
    finish(uow, claimed)


def rows(connection: Connection) -> dict[str, int]:
    def count(table: Table) -> int:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()

    return {table.name: count(table) for table in metadata.sorted_tables}


def test_each_repository_has_a_test_module_that_uses_it() -> None:
    sources = {path.stem: path.read_text() for path in Path(db.__file__).parent.glob("*.py")}
    modules = {name for name, source in sources.items() if re.search(r"^class \w+Repository\b", source, re.MULTILINE)}
    names = {name for name, member in inspect.getmembers(UnitOfWork) if isinstance(member, cached_property)}
    assert names == modules, "a repository is called as its module"
    tests = {name: Path(__file__).with_name(f"test_{name}.py") for name in names}
    assert not [name for name, path in tests.items() if not path.exists()]
    assert not [name for name, path in tests.items() if f".{name}." not in path.read_text()]


def test_nothing_is_kept_without_a_commit(database: Database, engine: Engine) -> None:
    with database.unit_of_work() as uow:
        everything(uow)
        written = rows(uow.tasks._connection)
    assert {name for name, number in written.items() if not number} == {"boot_reports"}, "all others were written"
    with engine.connect() as connection:
        assert not any(rows(connection).values())


def test_each_statement_is_kept_at_once(database: Database) -> None:
    with database.statements() as statements:
        task = statements.task_queue.add(new_task(), request_digest=None)
        with database.unit_of_work() as uow:
            assert uow.tasks.exists(task.id)


def test_an_action_and_a_step_of_a_newer_version_are_read_as_they_are(uow: UnitOfWork, connection: Connection) -> None:
    parent, (child,) = add_tree(uow, ["n1"])
    connection.execute(update(tasks).values(action="paint_node", step="a_step_of_tomorrow"))
    shown = (
        uow.tasks.get(parent.id),
        *uow.tasks.children(parent.id),
        *uow.tasks.page(TaskQuery(parent=parent.id)).tasks,
    )
    assert [(task.action, task.action.known, task.step) for task in shown] == [
        ("paint_node", False, "a_step_of_tomorrow")
    ] * 3
    assert [outcome.step for outcome in uow.tasks.outcomes(parent.id)] == ["a_step_of_tomorrow"]
    assert not claim(uow, Lane.NODE)
    unknown = uow.leases.unknown(steps=None, at_most=1)
    assert (unknown.number, len(unknown.examples), unknown.examples[0].action) == (2, 1, "paint_node")
    uow.task_signals.terminate(child.id, by="bob")


def test_a_status_of_a_newer_version_is_read_as_it_is(uow: UnitOfWork, connection: Connection) -> None:
    prepared = add_boot(uow)
    for table in ("tasks", "boot_actions"):
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_status"))
    connection.execute(update(tasks).values(status="resting"))
    connection.execute(update(boot_actions).values(status="skipped"))
    task = uow.tasks.get(prepared.context.task_id)
    assert (task.status, task.status.known, task.status.open) == ("resting", False, True)
    assert uow.boot_actions.get(prepared.actions[0].id).status == "skipped"
    assert not claim(uow, Lane.TASK)
