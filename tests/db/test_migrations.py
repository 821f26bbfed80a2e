"""Migrations go up and down and agree with ``tables.py``."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from drydock.db import migrate
from drydock.db.engine import driver_url
from drydock.db.tables import metadata


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


#: Status, step and action of a task; of a subtask its node too: what the version before rollouts finds of it.
ROLLOUT_ROWS = (
    (None, "running", "await_waves", "running", "await_nodes"),
    (None, "terminating", "await_waves", "terminating", "await_nodes"),
    (None, "running", "plan_waves", "terminating", "resolve_design"),
    (None, "running", "rollout_check_design", "terminating", "resolve_design"),
    (None, "terminating", "plan_waves", "terminating", "plan_nodes"),
    (None, "queued", "rollout_resolve_design", "terminated", "rollout_resolve_design"),
    ("n1", "queued", "await_wave", "terminated", "await_wave"),
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
