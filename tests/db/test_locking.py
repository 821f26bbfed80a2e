"""One order of locking: whatever happens at once, no two transactions wait for each other in a circle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from drydock.db import migrate
from drydock.db.engine import connect, driver_url
from drydock.db.tables import boot_actions
from drydock.errors import (
    Conflict,
    DesignNotFound,
    DrydockError,
    Forbidden,
    LeaseLost,
    NotFound,
    NothingToRetry,
    TaskNotEnded,
    TaskNotFound,
)
from drydock.model.actions import Action
from drydock.model.boot_action import Report, ReportDetail, ReportStatus
from drydock.model.machine import LogFile, MachineEvent, NewBuildData
from drydock.model.task import Lane, TaskQuery, TaskStatus
from drydock.orchestrator.services.machines import MachineService, ScriptSettings
from drydock.orchestrator.services.retention import delete_old
from tests.factories.site import site
from tests.orchestrator.world import World

#: What machines may be answered when what they work on has ended or is gone. Not that the database is away.
REFUSED = (Forbidden, NotFound, Conflict)
NODES = tuple(f"n{number:02}" for number in range(1, 13))


@pytest.fixture
def crowd(new_database: Callable[[], str]) -> Iterator[World]:
    """A world on a database of its own, that looks for deadlocks soon and where many may be at work at once."""
    url = new_database()
    migrate.upgrade(url)
    name = make_url(url).database
    with create_engine(driver_url(url), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'"))
        connection.engine.dispose()
    engine = connect(url, pool_size=40, max_overflow=0, application_name="crowd")
    world = World(engine)
    try:
        yield world
    finally:
        world.database.close()


def deadlocks(world: World) -> int:
    """As PostgreSQL counted them, once all other sessions have ended."""
    world.sql.dispose()
    with world.sql.connect() as connection:
        time_limit = time.monotonic() + 5
        while time.monotonic() < time_limit:
            others = connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            )
            if not others:
                break
        connection.rollback()
        return connection.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")) or 0


def at_once(work: Sequence[Callable[[], object]]) -> None:
    """Raises what one of them raised."""
    barrier = threading.Barrier(len(work))

    def started(one: Callable[[], object]) -> None:
        barrier.wait()
        one()

    with ThreadPoolExecutor(len(work)) as threads:
        for done in [threads.submit(started, one) for one in work]:
            done.result()


def running_tree(world: World) -> list[UUID]:
    """A deployment with all its nodes at their first step: the task's id, then its subtasks'."""
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    while len(world.subtasks(task.id)) < len(NODES):
        world.work()
    with world.sql.begin() as connection:
        connection.execute(text("UPDATE tasks SET status = 'running' WHERE parent_id = :id"), {"id": task.id})
    return [task.id, *(subtask.id for subtask in world.subtasks(task.id).values())]


def test_a_task_and_its_subtasks_are_terminated_at_once(crowd: World) -> None:
    for _ in range(8):
        tree = running_tree(crowd)
        at_once([partial(crowd.orchestrator.terminate, each, by="operator") for each in tree])
        assert {crowd.orchestrator.task(each).status for each in tree} == {TaskStatus.TERMINATING}
        with crowd.sql.begin() as connection:
            connection.execute(text("TRUNCATE tasks CASCADE"))
    assert deadlocks(crowd) == 0


def test_a_worker_renews_and_records_while_its_tasks_are_terminated(crowd: World) -> None:
    """Parents and subtasks in one transaction of a worker, against operators and machines."""
    for _ in range(8):
        tree = running_tree(crowd)
        crowd.pass_time(31)
        claimed = crowd.claim()
        ids = [task.id for task in claimed]

        def renew(ids: Sequence[UUID] = ids) -> None:
            for _ in range(10):
                with crowd.database.unit_of_work() as uow:
                    uow.leases.renew(crowd.owner, ids, lease_seconds=30)
                    uow.commit()

        def lock(claimed: Sequence[object] = claimed) -> None:
            for _ in range(10):
                with crowd.database.unit_of_work() as uow:
                    uow.outcomes.lock(claimed)  # type: ignore[arg-type]
                    uow.commit()

        def wake(ids: Sequence[UUID] = tuple(tree)) -> None:
            found = [crowd.orchestrator.task(each) for each in ids[1:]]
            for _ in range(10):
                with crowd.database.statements() as uow:
                    uow.task_signals.wake_after_end(found)

        def slots(ids: Sequence[UUID] = tuple(tree[:0:-1])) -> None:
            for _ in range(10):
                with crowd.database.unit_of_work() as uow:
                    uow.holds.take_slots(ids, at_most=5)
                    uow.commit()

        stops = [lambda each=each: crowd.orchestrator.terminate(each, by="operator") for each in reversed(tree)]
        at_once([renew, lock, renew, lock, wake, slots, *stops])
        with crowd.sql.begin() as connection:
            connection.execute(text("TRUNCATE tasks CASCADE"))
    assert deadlocks(crowd) == 0


class Crowd:
    """Workers, operators, machines and retention, all at the same time for ``seconds``."""

    def __init__(self, world: World, seconds: float) -> None:
        self.world = world
        self._until = time.monotonic() + seconds
        self.done: dict[str, int] = {}

    def again_and_again(
        self, name: str, work: Callable[[], object], *passing: type[DrydockError]
    ) -> Callable[[], None]:
        def run() -> None:
            while time.monotonic() < self._until:
                with suppress(*passing):
                    work()
                    self.done[name] = self.done.get(name, 0) + 1

        return run

    def work(self) -> None:
        runner = self.world.runner
        with self.world.database.statements() as uow:
            claimed = uow.leases.claim("w", dict.fromkeys(Lane, 8), lease_seconds=30, suspects=4)
        for lane in Lane:
            for together in runner.together(claimed[lane]):
                for task in runner.run(together):
                    runner.run([task])

    def hurry(self) -> None:
        """As if time passed, for those that wait."""
        with self.world.sql.begin() as connection:
            connection.execute(
                text(
                    "UPDATE tasks SET wake_at = now() WHERE id IN (SELECT id FROM tasks WHERE wake_at > now() "
                    "AND lease_owner IS NULL ORDER BY parent_id IS NOT NULL, id FOR NO KEY UPDATE SKIP LOCKED)"
                )
            )

    def create(self) -> None:
        if len([task for task in self.world.open_tasks() if task.node is None]) < 6:
            ref = self.world.store(site(NODES)).ref
            self.world.create("deploy_nodes", design_ref=ref, force=True)
            self.world.create("destroy_nodes", design_ref=ref)

    def retry(self) -> None:
        for task in self.world.all_tasks():
            if not task.status.open and task.action is Action.DEPLOY_NODES:
                self.world.orchestrator.create_task(self.world.orchestrator.retry_of(task.id, created_by="op"))
                return

    def terminate(self) -> None:
        tree = self.world.all_tasks()
        for task in tree[:: max(1, len(tree) // 7)]:
            with suppress(TaskNotFound):
                self.world.orchestrator.terminate(task.id, by="operator")

    def report(self) -> None:
        with self.world.sql.connect() as connection:
            rows = connection.execute(
                select(boot_actions.c.id, boot_actions.c.node).order_by(text("random()")).limit(10)
            ).all()
        for number, row in enumerate(rows):
            with suppress(*REFUSED, KeyError, AssertionError):
                details = (ReportDetail("working", error=False),)
                status = ReportStatus.SUCCESS if number % 2 else None
                key = str(number) if number % 3 else None
                report = Report(status, details)
                self.world.boot.report(row.id, self.world.key_of(row.node), report, idempotency_key=key)

    def say(self) -> None:
        settings = ScriptSettings("u/", "u/", start_units=False)
        machines = MachineService(self.world.database, settings, hold_seconds=0, reserved=())
        event = MachineEvent("curtin", "d", "start", "o", "", {}, (LogFile("/l", b"x"),))
        for node in NODES:
            with suppress(*REFUSED, KeyError, AssertionError):
                key = self.world.key_of(node)
                machines.event(node, key, event)
                machines.add_build_data(node, key, NewBuildData("g", "f", "e"))

    def revoke(self) -> None:
        with self.world.database.unit_of_work() as uow:
            uow.boot_contexts.end(NODES[::-1])
            uow.commit()

    def look(self) -> None:
        for task in self.world.orchestrator.page(TaskQuery(limit=5)).tasks:
            self.world.orchestrator.task(task.id)


def test_everybody_at_once(crowd: World) -> None:
    everybody = Crowd(crowd, seconds=8)
    again = everybody.again_and_again
    at_once(
        [
            *(again("work", everybody.work, LeaseLost) for _ in range(4)),
            again("hurry", everybody.hurry),
            again("create", everybody.create),
            again("retry", everybody.retry, TaskNotFound, TaskNotEnded, NothingToRetry, DesignNotFound),
            *(again("terminate", everybody.terminate, TaskNotFound) for _ in range(3)),
            *(again("report", everybody.report) for _ in range(3)),
            *(again("say", everybody.say) for _ in range(2)),
            again("revoke", everybody.revoke),
            again("look", everybody.look, TaskNotFound),
            *(again("delete", lambda: delete_old(crowd.database, older_than_days=0, seconds=5)) for _ in range(2)),
        ]
    )
    assert len(everybody.done) == 10, everybody.done
    assert deadlocks(crowd) == 0
