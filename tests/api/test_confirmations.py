"""POST /tasks/{id}/confirm."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import create_engine, update

from drydock.db.engine import driver_url
from drydock.db.tables import tasks
from drydock.model.task import Task
from tests.api.conftest import Client
from tests.api.seeds import Seeds


def waiting(seeds: Seeds, api_database: str, *nodes: str, step: str = "power_off") -> tuple[Task, tuple[Task, ...]]:
    parent, children = seeds.tree(*nodes)
    engine = create_engine(driver_url(api_database))
    with engine.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.parent_id == parent.id).values(status="running", step=step))
    engine.dispose()
    with seeds.database.unit_of_work() as uow:
        for child in children:
            uow.confirmations.ask(child.id, step)
        uow.commit()
    return parent, children


def test_the_task_of_a_node(admin: Client, reader: Client, seeds: Seeds, api_database: str) -> None:
    _, (task,) = waiting(seeds, api_database, "n01")
    (asked,) = reader.get(f"/tasks/{task.id}").json["confirmations"]
    assert (asked["step"], asked["confirmed"], asked["confirmed_by"]) == ("power_off", None, None)
    shown = admin.post(f"/tasks/{task.id}/confirm", {"note": "rack 3 is dark"})
    (given,) = shown.json["confirmations"]
    assert (shown.status_code, given["confirmed_by"], given["note"]) == (200, "admin", "rack 3 is dark")
    # Without a body, and again.
    assert admin("POST", f"/tasks/{task.id}/confirm").json["confirmations"] == [given]
    assert reader.get("/tasks?node=n01").json[0]["confirmations"] == [given]


def test_a_parent_confirms_what_its_subtasks_wait_for(
    admin: Client, reader: Client, seeds: Seeds, api_database: str
) -> None:
    parent, children = waiting(seeds, api_database, "n01", "n02")
    assert admin.post(f"/tasks/{parent.id}/confirm", {}).status_code == 200
    for child in children:
        assert reader.get(f"/tasks/{child.id}").json["confirmations"][0]["confirmed_by"] == "admin"


def test_what_is_refused(admin: Client, reader: Client, seeds: Seeds, api_database: str) -> None:
    _, (task,) = waiting(seeds, api_database, "n01")
    assert reader.post(f"/tasks/{task.id}/confirm", {}).status_code == 403
    assert admin.post(f"/tasks/{uuid4()}/confirm", {}).status_code == 404
    other = admin.post(f"/tasks/{task.id}/confirm", {"step": "power_on"})
    assert (other.status_code, other.json["reason"]) == (409, "no_confirmation_awaited")
    assert "at step power_on" in other.json["message"]
    idle = admin.post(f"/tasks/{seeds.task().id}/confirm", {})
    assert (idle.status_code, idle.json["reason"]) == (409, "no_confirmation_awaited")
    for body in ({"note": "a\nb"}, {"note": 7}, {"step": ""}, {"by": "somebody else"}):
        assert admin.post(f"/tasks/{task.id}/confirm", body).status_code == 400
