"""Rows of a newer version: left alone, said once, shown as they are stored; none ends a worker or a list."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import text

from drydock.errors import InvalidInput
from drydock.metrics import EngineMetrics
from drydock.model.event import Position
from drydock.model.message import TaskMessage
from drydock.model.task import Lane, ResultStatus, Task, TaskStatus
from drydock.orchestrator.engine.unknown_tasks import UnknownTasks
from tests.eventually import eventually
from tests.factories.site import site
from tests.orchestrator.test_lapses import engine
from tests.orchestrator.world import World

CHECKS = ("ck_tasks_lane", "ck_tasks_status", "ck_tasks_result_status", "ck_tasks_closed_never_wakes")


@pytest.fixture
def wide(world: World) -> Iterator[World]:
    """A newer version's migration has widened what columns may hold."""
    with world.sql.begin() as connection:
        made = {
            row.conname: row.made
            for row in connection.execute(
                text("SELECT conname, pg_get_constraintdef(oid) AS made FROM pg_constraint WHERE conname LIKE 'ck\\_%'")
            )
            if row.conname in (*CHECKS, "ck_boot_actions_status")
        }
        for name in made:
            connection.execute(text(f"ALTER TABLE {table_of(name)} DROP CONSTRAINT {name}"))
    try:
        yield world
    finally:
        world.forget_everything()
        with world.sql.begin() as connection:
            for name, check in made.items():
                connection.execute(text(f"ALTER TABLE {table_of(name)} ADD CONSTRAINT {name} {check}"))


def table_of(constraint: str) -> str:
    return "boot_actions" if "boot_actions" in constraint else "tasks"


def change(world: World, task_id: UUID, assignment: str) -> None:
    with world.sql.begin() as connection:
        connection.execute(text(f"UPDATE tasks SET {assignment} WHERE id = :id"), {"id": task_id})  # noqa: S608 - ours


UNKNOWN = {
    "action": "action = 'reboot_nodes'",
    "node's action": "action = 'reboot_node', node = 'n01'",
    "step": "step = 'count_sheep', status = 'running'",
    "another action's step": "step = 'await_boot_actions', status = 'running'",
    "lane": "lane = 'bulk'",
    "status": "status = 'paused'",
    "action of a long time ago": "action = 'reboot_nodes', wake_at = now() - interval '3 years'",
    "long action": "action = repeat('x', 100000)",
}


@pytest.mark.parametrize("assignment", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_row_is_left_alone_and_others_go_on(wide: World, assignment: str) -> None:
    unknown, other = wide.create("validate_design"), wide.create("validate_design")
    change(wide, unknown.id, assignment)
    before = row_of(wide, unknown.id)
    metrics = EngineMetrics()
    with engine(wide, type(wide.runner), metrics):
        eventually(lambda: wide.orchestrator.task(other.id).status, lambda status: status is TaskStatus.COMPLETE)
        eventually(lambda: metrics.registry.get_sample_value("drydock_unknown_tasks"), lambda number: number == 1)
    assert row_of(wide, unknown.id) == before
    assert unknown.id in {task.id for task in wide.all_tasks()}


def row_of(world: World, task_id: UUID) -> object:
    with world.sql.connect() as connection:
        return connection.execute(text("SELECT * FROM tasks WHERE id = :id"), {"id": task_id}).one()


def test_a_worker_with_nothing_but_unknown_rows_sleeps(wide: World) -> None:
    """What is due and not claimed must not look like work that is due now."""
    change(wide, wide.create("validate_design").id, "action = 'reboot_nodes'")
    with wide.database.statements() as uow:
        assert uow.leases.next_due_in(list(Lane)) is None
        assert not any(uow.leases.claim("a", dict.fromkeys(Lane, 5), lease_seconds=30).values())


def test_unknown_steps_take_no_slot_from_known_ones(world: World) -> None:
    for _ in range(20):
        change(world, world.create("validate_design").id, "step = 'count_sheep', status = 'running'")
    known = world.create("validate_design")
    with world.database.statements() as uow:
        steps = world.runner.known.names
        (claimed,) = uow.leases.claim("a", {Lane.TASK: 1}, lease_seconds=30, steps=steps)[Lane.TASK]
        assert claimed.id == known.id
        assert uow.leases.next_due_in([Lane.TASK], steps=steps) is None


def test_an_unknown_row_that_was_claimed_is_given_back_as_it_was(world: World) -> None:
    task = world.create("validate_design")
    change(world, task.id, "step = 'count_sheep', status = 'running', reason = 'of its own'")
    world.work()
    (left,) = world.all_tasks()
    assert (left.status, left.step, left.reason, left.lease) == (TaskStatus.RUNNING, "count_sheep", "of its own", None)
    assert world.claim() == ()


def test_what_is_left_alone_is_said_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    moment = [0.0]
    with caplog.at_level(logging.WARNING):
        unknown = UnknownTasks(world.database, world.runner.known.names, EngineMetrics(), clock=lambda: moment[0])
        for number in (1, 1, 2):
            while len(world.all_tasks()) < number:
                change(world, world.create("validate_design").id, "action = 'reboot_nodes'")
            moment[0] += 61
            unknown.look()
            unknown.look()
    assert len([record for record in caplog.records if "left alone" in record.message]) == 2


@pytest.mark.parametrize("assignment", UNKNOWN.values(), ids=UNKNOWN)
def test_whatever_an_unknown_task_is_at_it_can_be_terminated(wide: World, assignment: str) -> None:
    task = wide.create("validate_design")
    change(wide, task.id, assignment)
    wide.orchestrator.terminate(task.id, by="operator")
    wide.run_until_idle()
    assert wide.orchestrator.task(task.id).status is TaskStatus.TERMINATED


@contextmanager
def deploying(world: World) -> Iterator[tuple[Task, Task]]:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    world.work()
    world.work()
    (below,) = world.subtasks(task.id).values()
    yield task, below


ODD = {
    "unknown result": "result_status = 'skipped', status = 'complete', wake_at = NULL",
    "unknown status": "status = 'paused'",
    "no node": "node = NULL, status = 'complete', wake_at = NULL, result_status = 'failure'",
    "odd filter": 'node_filter = \'[1, {"a": null}, "x"]\'',
    "deep filter": "node_filter = (repeat('[', 3000) || repeat(']', 3000))::jsonb",
    "long number": "node_filter = ('{\"a\": ' || repeat('9', 5000) || '}')::jsonb",
    "beyond a float": "node_filter = ('{\"a\": ' || repeat('9', 400) || '.5}')::jsonb",
    "year 12000": "deadline_at = '12000-01-01', step_since = '12000-01-01'",
    "before Christ": "step_since = '0044-03-15 BC'",
    "endless": "deadline_at = 'infinity', step_since = '-infinity'",
    "arrays": "successes = '{NULL,a}', failures = '{{a},{b}}'",
    "numbers": "attempt = -1, error_attempts = 2147483647, lapses = 2147483647, lease_epoch = 9223372036854775806",
    "half a lease": "lease_owner = 'x', lease_until = NULL",
}


@pytest.mark.parametrize("assignment", ODD.values(), ids=ODD)
def test_no_row_ends_a_list_an_events_page_or_a_worker(wide: World, assignment: str) -> None:
    with deploying(wide) as (task, below):
        change(wide, below.id, assignment)
        assert len(wide.all_tasks()) == 2
        wide.orchestrator.layers(task.id, -1)
        assert wide.orchestrator.task(below.id).id == below.id
        wide.orchestrator.events(task.id, Position(), at_most=100)
        wide.orchestrator.wait_for_change(task.id, 0)
        other = wide.create("validate_design")
        with engine(wide, type(wide.runner), EngineMetrics()):
            eventually(lambda: wide.orchestrator.task(other.id).status.open, lambda is_open: not is_open)
        assert len(wide.all_tasks()) == 3


def test_an_unknown_result_below_counts_as_one_that_did_not_succeed(wide: World) -> None:
    with deploying(wide) as (task, below):
        change(wide, below.id, "result_status = 'skipped', status = 'complete', wake_at = NULL, node = NULL")
        wide.run_until_idle()
        ended = wide.orchestrator.task(task.id)
    assert (ended.result.status, ended.result.failures) == (ResultStatus.FAILURE, (str(below.id),))
    assert f"{below.id}: skipped" in [message.message for message in ended.result.messages]


def test_messages_may_carry_anything(world: World) -> None:
    task = world.create("validate_design")
    with world.sql.begin() as connection:
        for extra in ("'[1]'", "'\"text\"'", "'null'", "(repeat('[', 3000) || repeat(']', 3000))::jsonb"):
            values = f"VALUES (:id, :id, false, 'm', 'new', 'x', {extra})"
            into = "INSERT INTO task_messages (task_id, root_id, error, message, context_type, context, extra) "
            connection.execute(text(into + values), {"id": task.id})
    shown: tuple[TaskMessage, ...] = world.orchestrator.task(task.id).result.messages
    extras: list[object] = [message.extra for message in shown]
    assert extras[:3] == [[1], "text", None]


def test_a_final_status_that_is_unknown_is_no_success(wide: World) -> None:
    task = wide.create("deploy_nodes", design_ref=wide.store(site(["n01"])).ref)
    for _ in range(12):
        wide.work()
        wide.pass_time(15)
    (below,) = wide.subtasks(task.id).values()
    assert below.step == "await_boot_actions"
    with wide.sql.begin() as connection:
        connection.execute(text("UPDATE boot_actions SET status = 'skipped'"))
    wide.pass_time(60)
    wide.work()
    (below,) = wide.subtasks(task.id).values()
    assert below.status.open
    assert below.reason.startswith("this version does not know the status of boot actions greet")


def test_a_task_of_an_unknown_action_cannot_be_retried(wide: World) -> None:
    task = wide.create("validate_design")
    change(wide, task.id, "action = 'reboot_nodes', status = 'complete', wake_at = NULL, result_status = 'failure'")
    with pytest.raises(InvalidInput, match="reboot_nodes"):
        wide.orchestrator.retry_of(task.id, created_by="me")


@pytest.mark.parametrize("at", ["plan_nodes", "await_waves"])
def test_a_rollout_that_only_a_newer_version_can_read(world: World, at: str) -> None:
    """It is neither failed nor gone on with, and its nodes do not end; they go on when it can be read."""
    nodes = ["n01", "n02"]
    rollout = {"waves": [1, "100%"]}
    task = world.create("prepare_nodes", design_ref=world.store(site(nodes)).ref, rollout=rollout)
    while at == "await_waves" and not world.subtasks(task.id):
        world.work()
    change(world, task.id, """rollout = rollout || '{"pause": "at_night"}'""")
    for _ in range(4):
        world.work()
        world.pass_time(61)
    now = world.orchestrator.task(task.id)
    assert now.status.open
    assert "only a newer version can read the task's rollout" in now.reason
    assert all(subtask.result.status is not ResultStatus.FAILURE for subtask in world.subtasks(task.id).values())
    change(world, task.id, """rollout = rollout || '{"pause": "never"}'""")
    world.run_until_idle()
    assert world.orchestrator.task(task.id).result.successes == tuple(nodes)
