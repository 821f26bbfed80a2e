"""What a newer version left behind, as this one shows it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from drydock.db.engine import connect
from tests.api.conftest import Client
from tests.api.seeds import Seeds


def change(url: str, task_id: UUID, assignment: str) -> None:
    engine = connect(url, pool_size=1, max_overflow=0, application_name="tests")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE tasks SET {assignment} WHERE id = :id"), {"id": task_id})  # noqa: S608 - ours
    engine.dispose()


def deep(levels: int) -> list[Any]:
    return [] if levels == 1 else [deep(levels - 1)]


@pytest.mark.parametrize(
    ("assignment", "shown"),
    [
        ("action = 'reboot_nodes'", {"action": "reboot_nodes"}),
        ("action = 'é' || chr(10) || '\"<'", {"action": 'é\n"<'}),
        ("step = 'count_sheep', status = 'running'", {"step": "count_sheep"}),
        ("node_filter = '[1, \"x\"]'", {"node_filter": [1, "x"]}),
        ("node_filter = (repeat('[', 3000) || repeat(']', 3000))::jsonb", {"node_filter": "[" * 3000 + "]" * 3000}),
        ("node_filter = (repeat('[', 900) || repeat(']', 900))::jsonb", {"node_filter": "[" * 900 + "]" * 900}),
        ("node_filter = (repeat('[', 90) || repeat(']', 90))::jsonb", {"node_filter": deep(90)}),
        ("node_filter = ('[[]' || repeat(', [{}]', 300) || ']')::jsonb", {"node_filter": [[], *[[{}]] * 300]}),
        ("step_since = '12000-01-01'", {"step_since": "9999-12-31T23:59:59.999999+00:00"}),
    ],
)
def test_it_is_shown_as_it_is_stored(
    admin: Client, api_database: str, seeds: Seeds, assignment: str, shown: dict[str, Any]
) -> None:
    parent, (below,) = seeds.tree("n01")
    change(api_database, parent.id, assignment)
    change(api_database, below.id, assignment)
    listed = admin.get("/tasks")
    assert (listed.status_code, len(listed.json)) == (200, 2)
    one = admin.get(f"/tasks/{parent.id}?layers=-1&subtaskerrors=true&builddata=true")
    assert one.status_code == 200
    for task in (*listed.json, admin.get(f"/tasks/{parent.id}").json, one.json[str(below.id)]):
        assert {name: task[name] for name in shown} == shown
    assert admin.get(f"/tasks?limit=1&marker={parent.id}").status_code == 200
    assert admin.get(f"/tasks/{parent.id}?wait=0").status_code == 200
    stopped = admin.post(f"/tasks/{parent.id}/terminate")
    assert (stopped.status_code, stopped.json["terminate"]) == (200, True)


def test_it_cannot_be_retried_by_a_version_that_does_not_know_it(
    admin: Client, api_database: str, seeds: Seeds
) -> None:
    parent, (below,) = seeds.tree("n01")
    ended = "status = 'complete', result_status = 'failure', wake_at = NULL"
    change(api_database, below.id, ended)
    change(api_database, parent.id, f"action = 'reboot_nodes', {ended}")
    refused = admin.post("/tasks", {"retry_of": str(parent.id)})
    assert (refused.status_code, refused.json["reason"]) == (400, "invalid_input")
    assert "reboot_nodes" in refused.json["message"]
