"""Plans: written once, applied by one task, and kept as long as a task has to do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update

from drydock.db.database import Database
from drydock.db.tables import boot_contexts, plan_nodes, plans, task_messages, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import PlanNotFound
from drydock.model.actions import NODE_STEPS, PLACE_TAKEN, Action
from drydock.model.plan import Decision, Duration, NewPlan, PlannedNode, Reason, ReasonKind, SiteChange
from drydock.model.task import Lane, ResultStatus, Task
from tests.db.blocking import blocked
from tests.factories.rows import add_boot, add_tree, begin, boot, claim, finish
from tests.factories.tasks import named_nodes, new_task

REASONS = (
    Reason(ReasonKind.CHANGE, "image", "platform.image", "jammy", {"name": "noble"}),
    Reason(ReasonKind.INTERRUPTS, "n1 is reinstalled"),
)


def node(name: str, decision: Decision = Decision.DEPLOY) -> PlannedNode:
    return PlannedNode(name, None, decision, (), {})


def plan(plan_id: str = "p", nodes: Sequence[PlannedNode] = (), **changes: Any) -> NewPlan:
    nodes = nodes or [node("n1")]
    return replace(NewPlan(plan_id, "d" * 64, None, False, (), (1,), None, "alice", nodes), **changes)


def tree(uow: UnitOfWork, plan_id: str | None, nodes: Sequence[str] = ("n1",)) -> tuple[Task, Mapping[str, UUID]]:
    """A task that has to do with the plan, and its subtasks by node."""
    task = uow.task_queue.add(replace(new_task(), plan=plan_id), request_digest=None)
    uow.task_queue.add_subtasks(task, Action.DEPLOY_NODE, nodes, lane=Lane.NODE, start_rate=1e9)
    return task, {child.node or "": child.id for child in uow.tasks.children(task.id)}


def age(connection: Connection, days: int, *which: str) -> None:
    then = func.now() - func.make_interval(0, 0, 0, days)
    connection.execute(update(plans).where(plans.c.id.in_(which)).values(created=then))


def test_a_plan_is_kept_as_it_was_made(uow: UnitOfWork) -> None:
    nodes = [
        PlannedNode("n2", "rack-1", Decision.REDEPLOY, REASONS, {"record": "a", "hardware": "b"}),
        PlannedNode("n1", None, Decision.BLOCKED, (), {}),
    ]
    new = NewPlan(
        id="p",
        design_digest="d" * 64,
        node_filter=named_nodes("n1", "n2"),
        destroy_unlisted=True,
        site=(SiteChange("networks.oob.mtu", 1500, None),),
        waves=(1, 2),
        estimate=Duration(10.5, 20.0, 3),
        created_by="alice",
        nodes=nodes,
    )
    head = uow.plans.add(new)
    assert head == uow.plans.get("p")
    shown = ("id", "design_digest", "node_filter", "destroy_unlisted", "site", "waves", "estimate", "created_by")
    assert [getattr(head, name) for name in shown] == [getattr(new, name) for name in shown]
    assert head.counts == {"keep": 0, "deploy": 0, "redeploy": 1, "destroy": 0, "blocked": 1}
    assert head.applied_by is None
    assert abs(head.created - datetime.now(UTC)) < timedelta(minutes=1)
    assert uow.plans.nodes("p", limit=10) == list(enumerate(nodes))


def test_a_plan_without_history_filter_or_changes(uow: UnitOfWork) -> None:
    head = uow.plans.add(plan(waves=()))
    assert (head.estimate, head.node_filter, head.site, head.waves) == (None, None, (), ())


def test_the_same_plan_again_is_the_first_one(uow: UnitOfWork) -> None:
    first = uow.plans.add(plan())
    assert uow.plans.add(plan(created_by="bob")) == first
    assert uow.plans.nodes("p", limit=10) == [(0, node("n1"))]


def test_the_same_plan_again_has_the_present_waves_and_estimate(uow: UnitOfWork) -> None:
    """They are the options' and the history's, and no part of what is decided."""
    first = uow.plans.add(plan())
    again = uow.plans.add(plan(waves=(1, 2), estimate=Duration(1.0, 2.0, 3)))
    assert again == replace(first, waves=(1, 2), estimate=Duration(1.0, 2.0, 3)) == uow.plans.get("p")
    assert uow.plans.add(plan()) == first


def test_an_old_plan_that_is_made_again_is_kept(connection: Connection, uow: UnitOfWork) -> None:
    uow.plans.add(plan())
    age(connection, 100, "p")
    uow.plans.add(plan())
    assert uow.retention.delete_plans(older_than_days=7, at_most=10) == 0
    assert uow.plans.nodes("p", limit=10) == [(0, node("n1"))]


def test_more_nodes_than_one_insert_takes(uow: UnitOfWork) -> None:
    names = [f"n{number:04}" for number in range(2001)]
    uow.plans.add(plan(nodes=[node(name) for name in names]))
    assert [each.name for each in uow.plans.touched("p")] == names


def test_there_is_no_such_plan(uow: UnitOfWork) -> None:
    with pytest.raises(PlanNotFound):
        uow.plans.get("p")
    assert uow.plans.applied_by("p") is None
    assert uow.plans.apply("p", uuid4()) is None


def test_a_plan_is_applied_by_one_task(uow: UnitOfWork) -> None:
    first, second = uuid4(), uuid4()
    uow.plans.add(plan())
    uow.plans.add(plan("other"))
    assert uow.plans.apply("p", first) == first
    assert uow.plans.apply("p", second) == first
    assert uow.plans.get("p").applied_by == uow.plans.applied_by("p") == first
    assert uow.plans.applied_by("other") is None


def test_the_nodes_in_pages(uow: UnitOfWork) -> None:
    keep, destroy = Decision.KEEP, Decision.DESTROY
    uow.plans.add(plan(nodes=[node("d", destroy), node("c", keep), node("b", destroy), node("a", destroy)]))
    uow.plans.add(plan("other", nodes=[node("x", destroy)]))

    def names(limit: int, after: int = -1, decision: Decision | None = None) -> list[tuple[int, str]]:
        return [(at, each.name) for at, each in uow.plans.nodes("p", limit=limit, after=after, decision=decision)]

    assert names(2) == [(0, "d"), (1, "c")]
    assert names(2, after=1) == [(2, "b"), (3, "a")]
    assert names(2, after=3) == []
    assert names(2, decision=destroy) == [(0, "d"), (2, "b")]
    assert names(2, after=2, decision=destroy) == [(3, "a")]


def test_what_a_plan_touches_and_what_its_decisions_rest_on(uow: UnitOfWork) -> None:
    made = [replace(node(f"n{at}", decision), rests_on={"record": str(at)}) for at, decision in enumerate(Decision, 1)]
    uow.plans.add(plan(nodes=made[::-1]))
    uow.plans.add(plan("other"))
    assert uow.plans.touched("p") == [each for each in made[::-1] if each.decision.touches]
    assert list(uow.plans.rests_on("p").items()) == [(each.name, each.rests_on) for each in made[::-1]]
    assert uow.plans.rests_on("none") == {}


def test_each_subtask_finds_its_node_in_its_own_plan(uow: UnitOfWork) -> None:
    uow.plans.add(plan("p", nodes=[node("n1"), node("n2"), node("n3")]))
    uow.plans.add(plan("q", nodes=[node("n1", Decision.DESTROY)]))
    one, of_one = tree(uow, "p", ["n1", "n2", "unplanned"])
    other, of_other = tree(uow, "q")
    found = uow.plans.of_tasks([*uow.tasks.children(one.id), *uow.tasks.children(other.id)])
    assert found == {
        of_one["n1"]: node("n1"),
        of_one["n2"]: node("n2"),
        of_other["n1"]: node("n1", Decision.DESTROY),
    }
    assert uow.plans.of_tasks(uow.tasks.children(other.id)) == {of_other["n1"]: node("n1", Decision.DESTROY)}


def test_which_subtasks_are_of_a_retry(uow: UnitOfWork) -> None:
    uow.plans.add(plan())
    first, of_first = tree(uow, "p")
    _, of_retry = tree(uow, "p")
    _, without_plan = tree(uow, None)
    asked = [*of_first.values(), *of_retry.values(), *without_plan.values()]
    assert uow.plans.retried(asked) == frozenset(), "nothing applies the plan yet"
    uow.plans.apply("p", first.id)
    assert uow.plans.retried(asked) == set(of_retry.values())
    assert uow.plans.retried([*of_first.values()]) == frozenset()


def test_the_newest_first(connection: Connection, uow: UnitOfWork) -> None:
    for name in ("a", "c", "b", "old"):
        uow.plans.add(plan(name))
    age(connection, 1, "old")
    assert [head.id for head in uow.plans.newest(10)] == ["a", "b", "c", "old"]
    assert [head.id for head in uow.plans.newest(2)] == ["a", "b"]


def test_durations_are_of_successes_of_the_action_the_newest_first(connection: Connection, uow: UnitOfWork) -> None:
    def ended(seconds: int, status: ResultStatus = ResultStatus.SUCCESS, action: Action = Action.DEPLOY_NODE) -> None:
        _, (child,) = add_tree(uow, ["n1"], action=action)
        (claimed,) = claim(uow, Lane.NODE)
        begin(uow, claimed, NODE_STEPS[action][-1])
        finish(uow, claimed, status)
        took = tasks.c.created + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        connection.execute(update(tasks).where(tasks.c.id == child.id).values(updated=took))

    ended(10)
    ended(20)
    ended(30, ResultStatus.FAILURE)
    ended(40, action=Action.DESTROY_NODE)
    ended(50)
    connection.execute(
        update(tasks)
        .where(
            tasks.c.result_status == "success",
            tasks.c.updated - tasks.c.created == func.make_interval(0, 0, 0, 0, 0, 0, 50),
        )
        .values(status="terminated")
    )
    add_tree(uow, ["n1"])
    assert uow.plans.durations(Action.DEPLOY_NODE) == [20.0, 10.0]
    assert uow.plans.durations(Action.DESTROY_NODE) == [40.0]
    assert uow.plans.durations(Action.PREPARE_NODE) == []


def test_a_duration_begins_with_the_first_message(connection: Connection, uow: UnitOfWork) -> None:
    """Before it a node waits: for its wave, or for days in a pause."""
    _, (child,) = add_tree(uow, ["n1"])
    (claimed,) = claim(uow, Lane.NODE)
    begin(uow, claimed, "await_boot_actions")
    finish(uow, claimed, ResultStatus.SUCCESS)
    ended = datetime(2030, 1, 10, tzinfo=UTC)
    connection.execute(update(tasks).where(tasks.c.id == child.id).values(updated=ended))
    texts = {"error": False, "message": "m", "context_type": "node", "context": "n1", "task_id": child.id}
    connection.execute(task_messages.delete().where(task_messages.c.task_id == child.id))
    for seconds in (30, 20):
        connection.execute(insert(task_messages).values(ts=ended - timedelta(seconds=seconds), **texts))
    assert uow.plans.durations(Action.DEPLOY_NODE) == [30.0]


def test_the_wait_for_a_place_does_not_count(connection: Connection, uow: UnitOfWork) -> None:
    """Seconds before the end at which each message came; the boot context came with the second and the third."""
    ended = datetime(2030, 1, 10, tzinfo=UTC)
    for seconds, text in (
        ((100, 90, 89, 40, 10), PLACE_TAKEN),
        ((100, 80, 79, 50, 10), PLACE_TAKEN),
        ((100, 80, 79, 50, 10), "installation handed over"),
        ((100,), ""),
    ):
        _, (child,) = add_tree(uow, ["n1"])
        (claimed,) = claim(uow, Lane.NODE)
        begin(uow, claimed, "await_boot_actions")
        finish(uow, claimed, ResultStatus.SUCCESS)
        prepared = boot(child)
        uow.boot_contexts.replace([prepared])
        connection.execute(update(tasks).where(tasks.c.id == child.id).values(updated=ended))
        created = ended - timedelta(seconds=seconds[1] if len(seconds) > 1 else 0)
        connection.execute(
            update(boot_contexts).where(boot_contexts.c.id == prepared.context.id).values(created=created)
        )
        connection.execute(task_messages.delete().where(task_messages.c.task_id == child.id))
        words = {"error": False, "context_type": "node", "context": "n1", "task_id": child.id}
        for number, before in enumerate(seconds):
            ts, written_in = ended - timedelta(seconds=before), 1 if number in (1, 2) else number + 10
            row = {"ts": ts, "message": text if number == 3 else "m", "written_in": written_in, **words}
            connection.execute(insert(task_messages).values(row))
    assert uow.plans.durations(Action.DEPLOY_NODE) == [100.0, 100.0, 70.0, 50.0]


def test_deployments_that_did_not_end_well(connection: Connection, uow: UnitOfWork) -> None:
    well, failed, revoked, at_work, deleted = (add_boot(uow, name).context for name in ("n1", "n2", "n3", "n4", "n5"))
    for context, status in ((well, "success"), (failed, "failure"), (revoked, "success"), (deleted, "failure")):
        of_context = tasks.c.id == context.task_id
        connection.execute(
            update(tasks).where(of_context).values(result_status=status, status="complete", wake_at=None)
        )
    uow.boot_contexts.end(["n3"])
    connection.execute(boot_contexts.delete().where(boot_contexts.c.id == deleted.id))
    asked = [context.id for context in (well, failed, revoked, at_work, deleted)]
    assert uow.plans.unsuccessful(asked) == {each.id: each.task_id for each in (failed, revoked, at_work)}
    assert uow.plans.unsuccessful([failed.id]) == {failed.id: failed.task_id}
    assert uow.plans.unsuccessful([]) == {}


def test_the_task_that_has_a_node(uow: UnitOfWork) -> None:
    parent, (first, _) = add_tree(uow, ["n1", "n2"])
    uow.holds.hold_nodes([first])
    assert uow.plans.at_work() == {"n1": f"deploy_node of task {parent.id}"}


def test_old_plans_are_deleted_that_no_task_has_to_do_with(connection: Connection, uow: UnitOfWork) -> None:
    for name in ("old", "used", "young"):
        uow.plans.add(plan(name))
    tree(uow, "used")
    age(connection, 8, "old", "used")
    assert uow.retention.delete_plans(older_than_days=9, at_most=10) == 0
    assert uow.retention.delete_plans(older_than_days=7, at_most=10) == 1
    assert {head.id for head in uow.plans.newest(10)} == {"used", "young"}
    assert set(connection.scalars(select(plan_nodes.c.plan_id))) == {"used", "young"}


def test_old_plans_are_deleted_a_number_of_nodes_at_a_time(connection: Connection, uow: UnitOfWork) -> None:
    for days, (name, nodes) in enumerate({"a": 2, "b": 1, "c": 2, "d": 9, "e": 1}.items()):
        uow.plans.add(plan(name, [node(f"n{number}") for number in range(nodes)]))
        age(connection, 20 - days, name)

    def left() -> str:
        uow.retention.delete_plans(older_than_days=7, at_most=3)
        return "".join(sorted(head.id for head in uow.plans.newest(10)))

    assert [left() for _ in range(4)] == ["cde", "de", "e", ""]
    assert uow.retention.delete_plans(older_than_days=7, at_most=3) == 0


def add(database: Database, new: NewPlan) -> str:
    with database.unit_of_work() as uow:
        head = uow.plans.add(new)
        uow.commit()
        return head.created_by


def test_the_same_plan_twice_at_once_is_one(database: Database, engine: Engine) -> None:
    with database.unit_of_work() as first:
        first.plans.add(plan())
        with blocked(engine, first, lambda: add(database, plan(created_by="bob"))) as second:
            first.commit()
    assert second.result() == "alice"
    with database.statements() as statements:
        assert statements.plans.nodes("p", limit=10) == [(0, node("n1"))]


def apply(database: Database, task_id: UUID) -> UUID | None:
    with database.unit_of_work() as uow:
        applied_by = uow.plans.apply("p", task_id)
        uow.commit()
        return applied_by


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "rolled back"])
def test_a_plan_that_is_applied_twice_at_once(database: Database, engine: Engine, committed: bool) -> None:
    one, other = uuid4(), uuid4()
    add(database, plan())
    with database.unit_of_work() as first:
        assert first.plans.apply("p", one) == one
        with blocked(engine, first, lambda: apply(database, other)) as second:
            first.commit() if committed else first.tasks._connection.rollback()
    applied_by = one if committed else other
    assert second.result() == applied_by
    with database.statements() as statements:
        assert statements.plans.applied_by("p") == applied_by


def delete(database: Database) -> int:
    with database.unit_of_work() as uow:
        number = uow.retention.delete_plans(older_than_days=7, at_most=10)
        uow.commit()
        return number


def test_a_plan_that_is_deleted_is_not_applied(database: Database, engine: Engine) -> None:
    add(database, plan())
    with engine.begin() as connection:
        age(connection, 8, "p")
    with database.unit_of_work() as first:
        assert first.retention.delete_plans(older_than_days=7, at_most=10) == 1
        with blocked(engine, first, lambda: apply(database, uuid4())) as second:
            first.commit()
    assert second.result() is None


def test_a_plan_that_is_applied_is_not_deleted(database: Database, engine: Engine) -> None:
    """Its nodes are what the task does: without them it would change nothing, and end well."""
    add(database, plan())
    with engine.begin() as connection:
        age(connection, 8, "p")
    with database.unit_of_work() as first:
        task, _ = tree(first, "p")
        first.plans.apply("p", task.id)
        with blocked(engine, first, lambda: delete(database)) as second:
            first.commit()
    assert second.result() == 0
    with database.statements() as statements:
        assert [each.name for each in statements.plans.touched("p")] == ["n1"]
