"""Migrations go up and down and agree with ``tables.py``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from drydock.db import migrate
from drydock.db.engine import driver_url
from drydock.db.tables import metadata, tasks
from tests.eventually import eventually


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    name = f"drydock_migrations_{uuid4().hex[:12]}"
    server = create_engine(driver_url(database_url), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(driver_url(database_url)).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def test_up_twice_down_and_up_again(empty_database: str) -> None:
    engine = create_engine(empty_database)
    migrate.upgrade(empty_database)
    migrate.upgrade(empty_database)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    migrate.downgrade(empty_database, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate.upgrade(empty_database)
    engine.dispose()


def test_the_migrated_schema_is_what_tables_py_says(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


#: As they were made by 0013 and 0014 at first.
EARLIER = (
    "CREATE INDEX ix_tasks_rollout_failures ON tasks (parent_id) WHERE wave IS NOT NULL AND result_status = 'failure'",
    "CREATE INDEX ix_tasks_plan ON tasks (plan) WHERE plan IS NOT NULL",
)


def difference(url: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    return list(found)


def test_indexes_that_are_there_already(empty_database: str) -> None:
    """Before 0016 and after it; the version before goes down from either."""
    migrate.upgrade(empty_database, "0015")
    engine = create_engine(empty_database)
    with engine.begin() as connection:
        for statement in EARLIER:
            connection.execute(text(statement))
    migrate.upgrade(empty_database)
    assert difference(empty_database) == []
    migrate.downgrade(empty_database, "0015")
    with engine.begin() as connection:
        for statement in EARLIER:
            connection.execute(text(statement))
    migrate.downgrade(empty_database, "0012")
    migrate.upgrade(empty_database)
    assert difference(empty_database) == []
    engine.dispose()


def test_an_index_whose_build_was_interrupted_is_built_anew(empty_database: str) -> None:
    migrate.upgrade(empty_database, "0015")
    engine = create_engine(empty_database, isolation_level="AUTOCOMMIT")
    rows = [row("deploy_nodes", "queued", None, plan="p"), row("deploy_nodes", "queued", None, plan="p")]
    with engine.connect() as connection:
        connection.execute(insert(tasks), rows)
        with pytest.raises(IntegrityError):
            connection.execute(text("CREATE UNIQUE INDEX CONCURRENTLY ix_tasks_plan ON tasks (plan)"))
    migrate.upgrade(empty_database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_tasks_plan'::regclass"))
    engine.dispose()
    assert difference(empty_database) == []


def test_tasks_are_written_while_their_indexes_are_built(empty_database: str) -> None:
    migrate.upgrade(empty_database, "0015")
    engine = create_engine(empty_database)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as slow:
            # As a process of the version before, in the middle of a transaction.
            slow.execute(insert(tasks), [row("deploy_nodes", "queued", None)])
            upgraded = threads.submit(migrate.upgrade, empty_database)

            def builds() -> bool:
                with engine.connect() as connection:
                    return bool(connection.scalar(text(waits)))

            eventually(builds, bool)
            with engine.begin() as other:
                other.execute(text("SET lock_timeout = '2s'"))
                other.execute(insert(tasks), [row("deploy_nodes", "queued", None)])
        upgraded.result()
    engine.dispose()
    assert difference(empty_database) == []


def test_two_at_once(empty_database: str) -> None:
    command = "import sys; from drydock.db import migrate; migrate.upgrade(sys.argv[1])"
    running = [subprocess.Popen([sys.executable, "-c", command, empty_database]) for _ in range(3)]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert difference(empty_database) == []


def row(action: str, status: str, step: str | None, node: str | None = None, **more: object) -> dict[str, object]:
    task_id = uuid4()
    given = {"action": action, "status": status, "step": step, "node": node, "lane": "node" if node else "task"}
    own = {
        "id": task_id,
        "root_id": task_id,
        "design_ref": "x",
        "created_by": "tester",
        "wave": None,
        "parent_id": None,
    }
    return {**own, "plan": None, "rollout": None, "wake_at": None, **given, **more}


def test_the_version_before_can_end_what_rollouts_and_plans_have_begun(empty_database: str) -> None:
    """0.2.0 has neither holds, rollouts nor plans: what is open then is at a step that it knows, or ends."""
    migrate.upgrade(empty_database)
    engine = create_engine(empty_database)
    rollout = {"waves": [1, "100%"], "max_failed": None, "pause": "never"}
    plan = row("apply_plan", "running", "await_waves", plan="p", rollout=rollout, wave=0)
    young = row("apply_plan", "queued", "rollout_resolve_design", plan="q", rollout=rollout)
    late = row("apply_plan", "running", "prepare_planned_site", plan="r", rollout=rollout)
    waves = row("deploy_nodes", "running", "await_waves", rollout=rollout, wave=0)
    below = {"parent_id": plan["id"], "root_id": plan["id"], "plan": "p"}
    rows = [
        *(plan, young, late, waves),
        row("deploy_node", "queued", "check_plan", "n1", wave=0, **below),
        row("deploy_node", "queued", "await_wave", "n2", wave=1, **below),
        row("deploy_node", "running", "set_boot_device", "n3", wave=0, **below),
        row("deploy_node", "running", "await_deployment", "n4", wave=0, **below),
        row("destroy_node", "running", "check_plan", "n5", wave=0, **below),
        row("deploy_node", "queued", "await_wave", "n1", wave=1, parent_id=waves["id"], root_id=waves["id"]),
    ]
    with engine.begin() as connection:
        connection.execute(insert(tasks), rows)
    migrate.downgrade(empty_database, "0008")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT action, status, step, node FROM tasks ORDER BY seq")).all()
    engine.dispose()
    assert [tuple(each) for each in found] == [
        ("deploy_nodes", "running", "await_nodes", None),
        ("deploy_nodes", "terminated", None, None),
        ("deploy_nodes", "terminating", "resolve_design", None),
        ("deploy_nodes", "running", "await_nodes", None),
        ("deploy_node", "terminated", None, "n1"),
        ("deploy_node", "terminated", None, "n2"),
        ("deploy_node", "terminating", "look_at_node", "n3"),
        ("deploy_node", "running", "await_deployment", "n4"),
        ("destroy_node", "terminating", "revoke_key", "n5"),
        ("deploy_node", "terminated", None, "n1"),
    ]


#: Status, step and action of a task; of a subtask its node too: what the version before rollouts finds of it.
ROLLOUT_ROWS = (
    (None, "running", "await_waves", "running", "await_nodes"),
    (None, "terminating", "await_waves", "terminating", "await_nodes"),
    (None, "running", "plan_waves", "terminating", "resolve_design"),
    (None, "running", "rollout_check_design", "terminating", "resolve_design"),
    (None, "terminating", "plan_waves", "terminating", "plan_nodes"),
    (None, "queued", "rollout_resolve_design", "terminated", None),
    ("n1", "queued", "await_wave", "terminated", None),
    ("n2", "queued", None, "queued", None),
    ("n3", "running", "await_boot_actions", "running", "await_boot_actions"),
    ("n4", "terminated", "await_wave", "terminated", "await_wave"),
)


def test_rollouts_that_are_open_when_it_goes_down(empty_database: str) -> None:
    """No node begins that waits for its wave, and nothing is left at a step that the version before does not know."""
    migrate.upgrade(empty_database)
    engine = create_engine(empty_database)
    root = uuid4()
    with engine.begin() as connection:
        for node, status, step, _, _ in ROLLOUT_ROWS:
            task_id = root if step == "await_waves" and status == "running" else uuid4()
            connection.execute(
                text(
                    "INSERT INTO tasks (id, root_id, parent_id, action, node, design_ref, status, step, created_by, "
                    "lane, wake_at, rollout, wave, paused_by) VALUES (:id, :root, :parent, 'deploy_nodes', :node, "
                    "'file:///x', :status, :step, 'alice', 'task', CASE WHEN :status = 'terminated' THEN NULL ELSE "
                    "now() END, '{}', 0, 'alice')"
                ),
                {
                    "id": task_id,
                    "root": root,
                    "parent": None if node is None else root,
                    "node": node,
                    "status": status,
                    "step": step,
                },
            )
    migrate.downgrade(empty_database, "0012")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT node, status, step, failures, wake_at FROM tasks ORDER BY seq")).all()
    assert [(row.node, row.status, row.step) for row in rows] == [
        (node, status, step) for node, _, _, status, step in ROLLOUT_ROWS
    ]
    assert [row.failures for row in rows if row.node == "n1"] == [["n1"]]
    assert all(row.wake_at is not None for row in rows if row.status != "terminated")
    migrate.upgrade(empty_database)
    engine.dispose()
