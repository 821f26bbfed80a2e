"""A dump that is restored into a new server, whose transactions are counted from the beginning again."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from dev import postgres, unprivileged
from drydock.db import migrate
from drydock.db.engine import connect
from drydock.model.event import Event, MessageWritten, Position
from drydock.model.task import ResultStatus, Task
from tests.factories.site import site
from tests.orchestrator.world import World


def libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def count_up(url: str, transactions: int) -> None:
    """So many transactions later."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        again = f"FOR i IN 1..{transactions} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP"
        connection.execute(text(f"DO $$ BEGIN {again}; END $$"))
    engine.dispose()


def work_at(url: str) -> World:
    return World(connect(url, pool_size=8, max_overflow=0, application_name="tests"))


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    """An old server, long at work, and a new one."""
    with (
        unprivileged.temporary_directory("drydock-old-") as old,
        unprivileged.temporary_directory("drydock-new-") as new,
        postgres.start(old, durable=False) as first,
        postgres.start(new, durable=False) as second,
    ):
        count_up(first.url, 5000)
        migrate.upgrade(first.url)
        yield first.url, second.url


def all_events(world: World, task_id: UUID, after: Position | None = None) -> list[Event]:
    """Until there are no more events for now."""
    found: list[Event] = []
    after = after or Position()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        page = world.orchestrator.events(task_id, after, at_most=3)
        found.extend(page.events)
        after = found[-1].position if page.events else after
        if not page.more and not page.behind and not page.events:
            return found
    raise AssertionError("the stream does not come to its end")


def lines(events: list[Event]) -> list[str]:
    return [event.message.message for event in events if isinstance(event, MessageWritten)]


class Restored:
    """A deployment that was on its way when the dump was made, and an ended task; the stream's last event was read."""

    def __init__(self, old: str, new: str, format_: str, directory: Path) -> None:
        before = work_at(old)
        before.forget_everything()
        self.ended = before.create("validate_design")
        before.run_until_idle()
        self.task: Task = before.create("deploy_nodes", design_ref=before.store(site(["n01", "n02"])).ref)
        for _ in range(8):
            before.work()
            before.pass_time(15)
        self.shown = all_events(before, self.task.id)
        before.database.close()
        self._copy(old, new, format_, directory / "dump")
        self.world = work_at(new)
        # The machines, and the provisioner that knows them, are where they were.
        self.world.provisioner = before.provisioner
        self.world.services = replace(self.world.services, provisioner=before.provisioner)
        self.world.use_runner()

    @staticmethod
    def _copy(old: str, new: str, format_: str, dump: Path) -> None:
        programs = postgres.binaries()
        with create_engine(new, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.engine.dispose()
        how = ["--schema=public", "--no-owner", f"--format={format_}", f"--file={dump}"]
        subprocess.run([programs / "pg_dump", *how, libpq(old)], check=True)
        if format_ == "plain":
            restore: list[str | Path] = [programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", dump, libpq(new)]
        else:
            restore = [programs / "pg_restore", "--no-owner", "-d", libpq(new), dump]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        self.world.database.close()


@pytest.fixture(scope="module", params=["custom", "plain"])
def restored(
    servers: tuple[str, str], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restored]:
    made = Restored(*servers, request.param, tmp_path_factory.mktemp("dump"))
    try:
        yield made
    finally:
        made.close()


def test_the_new_server_is_behind_what_the_rows_say(restored: Restored) -> None:
    """Else the other tests show nothing."""
    with restored.world.sql.connect() as connection:
        numbers = "SELECT max(changed_in), pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM tasks"
        newest, beyond = connection.execute(text(numbers)).one()
    assert newest > beyond


def test_the_stream_of_an_older_task_is_complete_and_ends(restored: Restored) -> None:
    events = all_events(restored.world, restored.ended.id)
    assert lines(events)
    assert restored.world.orchestrator.events(restored.ended.id, events[-1].position, at_most=3).ended


def test_a_stream_goes_on_behind_the_last_event_of_the_old_server(restored: Restored) -> None:
    last = restored.shown[-1].position
    first = all_events(restored.world, restored.task.id, last)
    assert set(lines(restored.shown)) <= set(lines(first))
    here = first[-1].position
    assert all_events(restored.world, restored.task.id, here) == []
    with restored.world.sql.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO task_messages (task_id, root_id, error, message, context_type, context) "
                "VALUES (:id, :id, false, 'after the restore', 'task', 'x')"
            ),
            {"id": restored.task.id},
        )
    assert lines(all_events(restored.world, restored.task.id, here)) == ["after the restore"]


def test_a_long_poll_ends_with_a_change_although_the_clock_is_behind(restored: Restored) -> None:
    with restored.world.sql.begin() as connection:
        connection.execute(text("UPDATE tasks SET updated = updated + interval '1 hour'"))
    began = time.monotonic()
    change = threading.Timer(0.5, touch, (restored.world, restored.task.id))
    change.start()
    restored.world.orchestrator.wait_for_change(restored.task.id, 30)
    change.join()
    assert 0.4 < time.monotonic() - began < 10


def touch(world: World, task_id: UUID) -> None:
    with world.database.unit_of_work() as uow:
        uow.task_signals.touch(next(iter(world.subtasks(task_id).values())).id)
        uow.commit()


def test_what_was_on_its_way_goes_on_to_its_end(restored: Restored) -> None:
    restored.world.pass_time(60)
    restored.world.run_until_idle(before=restored.world.machines_report)
    ended = restored.world.orchestrator.task(restored.task.id)
    assert ended.result.status is ResultStatus.SUCCESS, ended.result
    events = all_events(restored.world, restored.task.id)
    assert events[-1].position.transaction < restored.shown[0].position.transaction
    assert restored.world.orchestrator.events(restored.task.id, events[-1].position, at_most=3).ended
    # New rows get numbers of their own: sequences were restored, too.
    assert restored.world.create("validate_design").status.open
