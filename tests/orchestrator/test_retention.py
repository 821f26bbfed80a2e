"""Old tasks go with all that is theirs; what lives, what is young and what is needed stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text, update

from drydock.db.tables import (
    boot_actions,
    boot_bundles,
    boot_contexts,
    build_data,
    deployed_nodes,
    designs,
    plans,
    task_messages,
    tasks,
)
from drydock.errors import TaskNotFound
from drydock.model.actions import Action
from drydock.model.plan import PlanHead
from drydock.model.task import NewTask
from drydock.orchestrator.services import retention
from drydock.orchestrator.services.retention import PeriodicRetention, delete_old
from tests.db.blocking import blocked
from tests.factories.site import site
from tests.orchestrator.world import World

ALL = (tasks, task_messages, boot_contexts, boot_bundles, boot_actions, build_data, designs)


def counts(world: World) -> dict[str, int]:
    with world.sql.connect() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in ALL}


def age(world: World, days: int) -> None:
    past = func.now() - func.make_interval(0, 0, 0, days)
    with world.sql.begin() as connection:
        connection.execute(update(tasks).values(updated=past))
        connection.execute(update(designs).values(created=past, named=None))
        connection.execute(update(plans).values(created=past))


def deployed(world: World, *nodes: str) -> None:
    ref = world.store(site(nodes)).ref
    for action in ("prepare_nodes", "deploy_nodes"):
        world.create(action, design_ref=ref)
        world.run_until_idle(before=world.machines_report)


def test_everything_of_an_old_task_goes_with_it(world: World) -> None:
    deployed(world, "n01", "n02")
    assert all(counts(world).values())
    age(world, 8)
    assert delete_old(world.database, older_than_days=9, seconds=10) == 0
    assert delete_old(world.database, older_than_days=7, seconds=10) == 6
    assert {name for name, number in counts(world).items() if number} == {"designs"}, "the nodes run it"
    with world.sql.begin() as connection:
        connection.execute(delete(deployed_nodes))
    delete_old(world.database, older_than_days=7, seconds=10)
    assert set(counts(world).values()) == {0}


def test_a_plan_goes_with_the_task_that_applies_it(world: World) -> None:
    def planned() -> PlanHead:
        ref = world.store(site(["n01"])).ref
        return world.plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="tester")

    plan = planned()
    task = world.orchestrator.create_task(NewTask(Action.APPLY_PLAN, "", "tester", plan=plan.id, all_nodes=True))
    world.run_until_idle(before=world.machines_report)
    unused = planned()
    age(world, 8)
    with world.sql.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.root_id == task.id).values(updated=func.now()))
    delete_old(world.database, older_than_days=7, seconds=10)
    with world.database.statements() as statements:
        assert [kept.id for kept in statements.plans.newest(10)] == [plan.id] != [unused.id]
    age(world, 8)
    delete_old(world.database, older_than_days=7, seconds=10)
    with world.database.statements() as statements:
        assert list(statements.plans.newest(10)) == []


def test_old_plans_go_in_batches_each_in_a_transaction_of_its_own(world: World) -> None:
    """What was deleted before one that takes too long stays deleted."""
    with world.sql.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO plans (id, design_digest, destroy_unlisted, counts, site, created_by, created) "
                "SELECT 'plan ' || i, 'd', false, jsonb_build_object('keep', :nodes, 'deploy', 1), '[]', 'me', "
                "now() - make_interval(days => 20 - i) FROM generate_series(1, 3) i"
            ),
            {"nodes": retention.BATCH // 2},
        )
    with world.database.unit_of_work() as first:
        assert first.plans.apply("plan 3", uuid4())
        with blocked(world.sql, first, lambda: delete_old(world.database, older_than_days=7, seconds=60)) as deletion:
            with world.database.statements() as statements:
                assert [plan.id for plan in statements.plans.newest(10)] == ["plan 3"]
            first.tasks._connection.rollback()
    deletion.result()
    with world.database.statements() as statements:
        assert list(statements.plans.newest(10)) == []


def test_live_and_young_tasks_stay_and_so_does_what_they_need(world: World) -> None:
    deployed(world, "n01")
    live = world.create("deploy_nodes", design_ref=world.store(site(["n05", "n06"])).ref)
    world.work()
    world.work()
    age(world, 8)
    young = world.create("validate_design", design_ref=world.store(site(["n07"])).ref)
    world.run_until_idle(before=world.machines_report)
    age_of_live = update(tasks).where(tasks.c.root_id == live.id)
    with world.sql.begin() as connection:
        past = func.now() - func.make_interval(0, 0, 0, 8)
        connection.execute(age_of_live.values(updated=past))
        connection.execute(
            update(tasks).where(tasks.c.id == live.id).values(status="running", result_status="incomplete")
        )
    delete_old(world.database, older_than_days=7, seconds=10)
    left = {task.root_id for task in world.all_tasks()}
    assert left == {live.id, young.id}
    assert counts(world)["designs"] == 3, "the node n01 runs the third"


def test_batches_end_with_the_time_that_is_given(world: World) -> None:
    for _ in range(3):
        world.create("validate_design")
    world.run_until_idle()
    age(world, 8)
    assert delete_old(world.database, older_than_days=7, seconds=0) == 0
    with world.database.unit_of_work() as uow:
        assert uow.retention.delete_tasks(older_than_days=7, at_most=2) == 2
        uow.commit()
    assert delete_old(world.database, older_than_days=7, seconds=10) == 1


def test_one_worker_at_a_time(world: World) -> None:
    world.create("validate_design")
    world.run_until_idle()
    age(world, 8)
    periodic = PeriodicRetention(world.database, days=7)
    with world.database.unit_of_work() as uow:
        assert uow.retention.try_lock()
        assert periodic.run_once() == 0
    assert periodic.run_once() == 1


def test_the_thread_runs_and_stops(world: World) -> None:
    def threads() -> int:
        return sum(thread.name == "retention" for thread in threading.enumerate())

    never = PeriodicRetention(world.database, days=0)
    never.start()
    assert threads() == 0
    never.stop()
    periodic = PeriodicRetention(world.database, days=7)
    periodic.start()
    assert threads() == 1
    periodic.stop()
    assert threads() == 0


def test_two_hundred_trees_go_in_few_batches(world: World) -> None:
    with world.sql.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (id, root_id, action, design_ref, status, created_by, lane, updated) "
                "SELECT i, i, 'deploy_nodes', 'ref', 'complete', 'me', 'task', now() - interval '8 days' "
                "FROM (SELECT gen_random_uuid() AS i FROM generate_series(1, 200)) s"
            )
        )
        connection.execute(
            text(
                "INSERT INTO tasks "
                "(id, root_id, parent_id, node, action, design_ref, status, created_by, lane, updated) "
                "SELECT gen_random_uuid(), r.id, r.id, 'n' || g, 'deploy_node', 'ref', 'complete', 'me', 'node', "
                "r.updated "
                "FROM tasks r, generate_series(1, 50) g"
            )
        )
    with world.database.unit_of_work() as uow:
        first = uow.retention.delete_tasks(older_than_days=7, at_most=retention.BATCH)
        uow.commit()
    assert retention.BATCH - 51 < first <= retention.BATCH
    assert delete_old(world.database, older_than_days=7, seconds=10) == 200 * 51 - first


LONG_AGO = func.now() - func.make_interval(0, 0, 0, 100)


def ref_of(world: World, *nodes: str) -> str:
    """A design that was uploaded a hundred days ago, and named by nothing since."""
    ref = world.store(site(nodes)).ref
    with world.sql.begin() as connection:
        connection.execute(update(designs).values(created=LONG_AGO, named=None))
    return ref


def delete_all(world: World, days: int = 90) -> None:
    delete_old(world.database, older_than_days=days, seconds=10)


def test_a_design_that_nothing_names_goes(world: World) -> None:
    ref_of(world, "n01")
    delete_all(world)
    assert counts(world)["designs"] == 0


@pytest.mark.parametrize("days", [0, 1, 90])
@pytest.mark.parametrize("how", ["upload", "task", "capitals", "read", "validate", "select"])
def test_a_design_stays_from_when_it_was_named_last(world: World, how: str, days: int) -> None:
    ref = ref_of(world, "n01")
    names: dict[str, Callable[[], object]] = {
        "upload": lambda: world.store(site(["n01"])),
        "task": lambda: world.create("validate_design", design_ref=ref),
        "capitals": lambda: world.create("validate_design", design_ref=f"drydock://designs/{ref[18:].upper()}"),
        "read": lambda: world.designs.read(ref.removeprefix("drydock://designs/")),
        "validate": lambda: world.designs.validate(ref),
        "select": lambda: world.designs.select_nodes(ref, None),
    }
    names[how]()
    if how in ("task", "capitals"):
        # It was queued long ago, and no worker has come to it.
        with world.sql.begin() as connection:
            connection.execute(update(designs).values(named=None))
            connection.execute(update(tasks).values(updated=LONG_AGO, created=LONG_AGO))
    delete_all(world, days)
    assert counts(world)["designs"] == 1
    world.run_until_idle()
    assert {task.result.reason for task in world.all_tasks()} <= {""}


def test_an_upload_shows_when_the_design_came_first(world: World) -> None:
    ref_of(world, "n01")
    (before,) = world.designs.list()
    world.store(site(["n01"]))
    assert world.designs.list() == (before,)


def test_a_task_that_ended_keeps_its_design_as_long_as_it_is_there(world: World) -> None:
    ref = ref_of(world, "n01")
    world.create("validate_design", design_ref=ref)
    world.run_until_idle()
    with world.sql.begin() as connection:
        connection.execute(update(designs).values(named=None))
    delete_all(world)
    assert counts(world)["designs"] == 1
    age(world, 100)
    with world.sql.begin() as connection:
        connection.execute(update(designs).values(named=None))
    delete_all(world)
    assert counts(world)["designs"] == 0


def test_upload_and_new_tasks_race_with_the_deletion(world: World) -> None:
    """Whichever comes first: who was told that the design is there finds it."""
    for number in range(20):
        ref = ref_of(world, f"n{number:02}")
        digest, barrier = ref.removeprefix("drydock://designs/"), threading.Barrier(3)

        def upload(number: int = number, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            world.store(site([f"n{number:02}"]))

        def create(ref: str = ref, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            world.create("validate_design", design_ref=ref)

        def delete(barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            delete_all(world)

        threads = [threading.Thread(target=each) for each in (upload, create, delete)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert world.designs.read(digest)


def test_a_retry_of_a_task_that_is_deleted_meanwhile_finds_no_task(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=ref_of(world, "n01"))
    world.run_until_idle(at_most=90)
    again = world.orchestrator.retry_of(task.id, created_by="me")
    age(world, 100)
    with world.sql.begin() as connection:
        connection.execute(update(designs).values(named=None))
    delete_all(world)
    with pytest.raises(TaskNotFound):
        world.orchestrator.create_task(again)
