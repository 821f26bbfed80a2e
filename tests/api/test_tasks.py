"""/tasks and what lies below it, as old and new clients use them."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import AppFactory, Client
from tests.api.seeds import Seeds
from tests.factories.tasks import named_nodes

REF = "drydock://designs/" + "0" * 64
NOBODYS = "6f1c2b1e-3f3c-4c7e-9a55-0a4d7f0f2c11"
BODY = {"action": "deploy_nodes", "design_ref": REF, "node_filter": None}


def create(client: Client, **more: Any) -> dict[str, Any]:
    result = client.post("/tasks", {**BODY, **more})
    assert result.status_code == 201, result.text
    return dict(result.json)


def test_a_new_task_is_queued_and_answered_whole(admin: Client) -> None:
    node_filter = {
        "filter_set_type": "union",
        "filter_set": [
            {"filter_type": "intersection", "node_names": [], "node_tags": [], "node_labels": {}, "rack_names": []}
        ],
    }
    result = admin.post("/tasks", {**BODY, "node_filter": node_filter})
    task = result.json
    assert result.status_code == 201
    assert result.headers["Location"] == f"/api/v1.0/tasks/{task['task_id']}"
    assert (task["status"], task["action"], task["design_ref"]) == ("queued", "deploy_nodes", REF)
    assert (task["created_by"], task["node_filter"]) == ("admin", node_filter)
    assert task["result"]["status"] == "incomplete"
    assert admin.get(f"/tasks/{task['task_id']}").json == task


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("asked", "stored"), [("deploy_node", "deploy_nodes"), ("validate_design", "validate_design")])
def test_singular_actions_are_stored_as_the_plural(admin: Client, asked: str, stored: str, slash: str) -> None:
    body = {"action": asked, "design_ref": REF}
    content_type = {"Content-Type": "application/json; charset=utf-8"}
    result = admin.post(f"/tasks{slash}", body, headers=content_type)
    assert (result.status_code, result.json["action"]) == (201, stored)


def test_an_idempotency_key_gives_the_same_task(admin: Client, reader: Client) -> None:
    keyed = admin.named(**{"Idempotency-Key": "k-1"})
    first = create(keyed)
    assert create(keyed)["task_id"] == first["task_id"]
    conflict = keyed.post("/tasks", {**BODY, "design_ref": REF[:-1] + "1"})
    assert (conflict.status_code, conflict.json["reason"]) == (409, "idempotency_conflict")
    assert create(admin)["task_id"] != first["task_id"]
    assert len(reader.get("/tasks").json) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é"])
def test_an_idempotency_key_is_short_printable_text(admin: Client, key: str) -> None:
    result = admin.post("/tasks", BODY, headers={"Idempotency-Key": key})
    assert result.status_code == 400
    assert result.json["message"].startswith("Idempotency-Key")


def test_the_list_is_one_array_of_whole_tasks(reader: Client, seeds: Seeds) -> None:
    assert reader.get("/tasks").json == []
    parent, children = seeds.tree("n01", "n02")
    result = reader.get("/tasks")
    assert result.headers["Content-Type"].startswith("application/json")
    assert [task["task_id"] for task in result.json] == [str(task.id) for task in (parent, *children)]
    assert result.json[0]["subtask_id_list"] == [str(child.id) for child in children]
    assert result.json[1]["parent_task_id"] == str(parent.id)
    assert result.json[1] == reader.get(f"/tasks/{children[0].id}").json


def test_a_long_list_is_whole(reader: Client, seeds: Seeds) -> None:
    seeds.tree(*(f"n{number:04}" for number in range(1200)))
    assert len(reader.get("/tasks").json) == 1201


def test_the_list_is_filtered(reader: Client, seeds: Seeds) -> None:
    parent, _ = seeds.tree("n01", "n02")
    seeds.task(created_by="somebody")
    counted = {
        "status=queued": 4,
        "status=running": 0,
        "action=deploy_node": 2,
        "action=destroy_nodes": 0,
        "node=n02": 1,
        "created_by=somebody": 1,
        f"parent={parent.id}": 2,
        f"parent={parent.id}&node=n01": 1,
    }
    for query, expected in counted.items():
        assert len(reader.get("/tasks", query_string=query).json) == expected, query


def test_pages_are_linked(reader: Client, seeds: Seeds) -> None:
    _, children = seeds.tree("n01", "n02", "n03")
    seen: list[str] = []
    query = "action=deploy_node&limit=2"
    while query:
        page = reader.get("/tasks", query_string=query)
        seen += [task["node"] for task in page.json]
        link = page.headers.get("Link", "")
        assert not link or link.endswith("; rel=next")
        query = urlsplit(link.partition(">")[0].removeprefix("<")).query
        assert not query or dict(parse_qsl(query))["action"] == "deploy_node"
    assert seen == ["n01", "n02", "n03"]
    rest = reader.get("/tasks", query_string=f"action=deploy_node&marker={children[0].id}")
    assert [task["node"] for task in rest.json] == ["n02", "n03"]


def test_the_newest_come_first_and_subtasks_stay_out_if_asked_for(reader: Client, seeds: Seeds) -> None:
    trees = [seeds.tree("n01", "n02")[0] for _ in range(3)]
    newest = [str(task.id) for task in reversed(trees)]
    seen: list[str] = []
    query = "order=newest&subtasks=false&limit=2"
    while query:
        page = reader.get("/tasks", query_string=query)
        seen += [task["task_id"] for task in page.json]
        query = urlsplit(page.headers.get("Link", "").partition(">")[0].removeprefix("<")).query
    assert seen == newest
    assert [task["node"] for task in reader.get("/tasks", query_string="order=newest&limit=2").json] == ["n02", "n01"]
    assert len(reader.get("/tasks", query_string="order=oldest&subtasks=true").json) == 9


def test_tasks_are_found_by_the_beginning_of_their_ids(reader: Client, seeds: Seeds) -> None:
    tasks = [str(seeds.task().id) for _ in range(20)]
    for task_id in tasks:
        for prefix in (task_id[:8], task_id[:13], task_id.replace("-", "")[:14].upper(), task_id):
            found = reader.get("/tasks", query_string=f"id_prefix={prefix}").json
            assert task_id in [task["task_id"] for task in found], prefix
    first = {task_id for task_id in tasks if task_id.startswith(tasks[0][0])}
    found = reader.get("/tasks", query_string=f"id_prefix={tasks[0][0]}").json
    assert {task["task_id"] for task in found} == first


@pytest.mark.parametrize(
    "query",
    ["id_prefix=", "id_prefix=-", "id_prefix=xyz", f"id_prefix={'a' * 33}", "order=", "order=desc", "subtasks=2"],
)
def test_a_list_that_cannot_be_made_says_why(reader: Client, query: str) -> None:
    result = reader.get("/tasks", query_string=query)
    assert result.status_code == 400
    assert result.json["message"].startswith(query.partition("=")[0])


GUARDED = [{"action": "destroy_nodes"}, {"action": "destroy_node"}, {"action": "deploy_nodes", "force": True}]
NODE_N01 = named_nodes("n01")


EMPTY = {"filter_set_type": "union", "filter_set": [{"filter_type": "intersection", "node_names": []}]}


@pytest.mark.parametrize("body", GUARDED)
@pytest.mark.parametrize("scope", [{}, {"node_filter": None}, {"node_filter": EMPTY}])
def test_a_whole_site_is_destroyed_or_forced_only_by_a_request_that_says_its_size(
    admin: Client, reader: Client, body: dict[str, Any], scope: dict[str, Any]
) -> None:
    asked = {"design_ref": "drydock://designs/x", **body, **scope}
    for unsaid in ({}, {"expect_nodes": None}, {"all_nodes": False}):
        refused = admin.post("/tasks", {**asked, **unsaid})
        assert (refused.status_code, refused.json["reason"]) == (400, "scope_unconfirmed")
        assert '"expect_nodes": N' in refused.json["message"]
        assert '"all_nodes": true' in refused.json["message"]
    assert reader.post("/tasks", asked).status_code == 403
    assert reader.get("/tasks").json == []
    counted = admin.post("/tasks", {**asked, "expect_nodes": 12})
    assert (counted.status_code, counted.json["expect_nodes"], counted.json["all_nodes"]) == (201, 12, False)
    every = admin.post("/tasks", {**asked, "all_nodes": True})
    assert (every.status_code, every.json["expect_nodes"], every.json["all_nodes"]) == (201, None, True)
    shown = [(task["expect_nodes"], task["all_nodes"]) for task in reader.get("/tasks").json]
    assert shown == [(12, False), (None, True)]


@pytest.mark.parametrize("scope", [{"node_filter": NODE_N01}, {"all_nodes": True}])
def test_a_part_of_a_site_or_what_takes_nothing_is_not_asked_for_its_size(admin: Client, scope: dict[str, Any]) -> None:
    assert create(admin, action="destroy_nodes", **scope)["status"] == "queued"
    assert create(admin, action="deploy_nodes")["all_nodes"] is False


@pytest.mark.parametrize("value", [-1, "3", True, 1.5, 10**12, [3]])
def test_a_size_is_a_number_of_nodes(admin: Client, value: object) -> None:
    result = admin.post("/tasks", {**BODY, "expect_nodes": value})
    assert (result.status_code, result.json["message"].partition(":")[0]) == (400, "expect_nodes")
    assert admin.post("/tasks", {**BODY, "all_nodes": "yes"}).status_code == 400


def test_without_the_guard_old_clients_go_on(make_app: AppFactory) -> None:
    app = make_app({"api": {"auth_strategy": "noauth"}, "orchestrator": {"guard": "false"}})
    task = create(Client(app, {"X-Auth-Token": "admin"}), action="destroy_nodes", node_filter=None)
    assert (task["status"], task["all_nodes"]) == ("queued", False)


def test_the_same_key_with_another_size_is_another_request(admin: Client) -> None:
    keyed = admin.named(**{"Idempotency-Key": "one"})
    body = {**BODY, "action": "destroy_nodes", "expect_nodes": 3}
    first = keyed.post("/tasks", body).json["task_id"]
    assert keyed.post("/tasks", body).json["task_id"] == first
    assert keyed.post("/tasks", {**body, "expect_nodes": 4}).json["reason"] == "idempotency_conflict"


@pytest.mark.parametrize("task_id", [NOBODYS, "7", "x" * 5000, "%00", "..", NOBODYS.replace("-", "")])
@pytest.mark.parametrize("below", ["", "/builddata"])
def test_an_unknown_or_malformed_id_is_404(reader: Client, task_id: str, below: str) -> None:
    result = reader.get(f"/tasks/{task_id}{below}")
    assert (result.status_code, result.json["type"]) == (404, "error")


def test_one_task_is_as_in_the_list(reader: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree("n01", "n02", "n03")
    booted = seeds.booted_node("n04")
    for task in (*children, parent):
        seeds.message(task.id, 'said "it"', error=task is parent)
        seeds.message(task.id, "\N{SNOWMAN}", error=False)
    seeds.build_data("n01", children[0].id, "data")
    listed = reader.get("/tasks").json
    assert len(listed) == 6
    assert next(task for task in listed if task["task_id"] == str(booted.task_id))["machine"] is not None
    for task in listed:
        assert reader.get(f"/tasks/{task['task_id']}").json == task


def test_layers_change_the_shape(reader: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree("n01", "n02")
    ids = {str(task.id) for task in (parent, *children)}
    for layers, expected in (("1", {str(parent.id)}), ("2", ids), ("-1", ids)):
        view = reader.get(f"/tasks/{parent.id}", query_string=f"layers={layers}").json
        assert view.pop("init_task_id") == str(parent.id)
        assert set(view) == expected
        assert all(task["task_id"] == task_id for task_id, task in view.items())


def test_subtask_errors_are_added_to_either_shape(reader: Client, seeds: Seeds) -> None:
    parent, (first, _) = seeds.tree("n01", "n02")
    path = f"/tasks/{parent.id}"
    assert reader.get(path, query_string="subtaskerrors=true").json["subtask_errors"] == {}
    seeds.message(first.id, "fine so far", error=False)
    seeds.message(first.id, "the disk is gone", error=True)
    task = reader.get(path, query_string="subtaskerrors=true").json
    assert task["task_id"] == str(parent.id)
    details = task["subtask_errors"][str(first.id)]["details"]
    assert details["errorCount"] == 1
    assert details["messageList"][-1]["message"] == "the disk is gone"
    layers = reader.get(path, query_string="subtaskerrors=True&layers=-1").json
    assert set(layers) == {"init_task_id", "subtask_errors", *(str(i) for i in (parent.id, *_ids(seeds, parent.id)))}
    assert "subtask_errors" not in reader.get(path).json


def _ids(seeds: Seeds, parent: UUID) -> list[UUID]:
    with seeds.database.unit_of_work() as uow:
        return [task.id for task in uow.tasks.children(parent)]


def test_build_data_is_added_and_linked(reader: Client, admin: Client, seeds: Seeds) -> None:
    parent, (child,) = seeds.tree("n01")
    empty = reader.get(f"/tasks/{child.id}/builddata")
    assert (empty.status_code, empty.json["reason"]) == (404, "build_data_not_found")
    seeds.build_data("n01", child.id, "one", "two")
    assert [item["data_element"] for item in reader.get(f"/tasks/{child.id}/builddata").json] == ["one", "two"]
    assert "build_data" not in reader.get(f"/tasks/{child.id}").json
    plain = reader.get(f"/tasks/{child.id}").json
    assert plain["result"]["links"]
    task = reader.get(f"/tasks/{child.id}", query_string="builddata=true").json
    assert [item["data_element"] for item in task["build_data"]] == ["one", "two"]
    (link,) = task["result"]["links"]
    assert link["rel"] == "detail_logs"
    fetched = urlsplit(link["href"])
    assert (fetched.scheme, fetched.netloc) == ("http", "falconframework.org")
    assert reader.get(f"/{fetched.path}").status_code == 200
    layers = reader.get(f"/tasks/{parent.id}", query_string="builddata=true&layers=-1").json
    assert (layers[str(parent.id)]["build_data"], len(layers[str(child.id)]["build_data"])) == ([], 2)
    bare = reader.get(f"/tasks/{parent.id}", query_string="layers=-1").json
    listed = {task["task_id"]: task for task in reader.get("/tasks").json}
    paged = reader.get("/tasks", query_string="limit=10").json[1]
    terminated = admin.post(f"/tasks/{child.id}/terminate").json
    for shown in (bare[str(child.id)], listed[str(child.id)], paged, terminated):
        assert shown["result"]["links"] == plain["result"]["links"]
    assert listed[str(parent.id)]["result"]["links"] == []


def test_waiting_ends_with_a_change(reader: Client, admin: Client, seeds: Seeds) -> None:
    parent, _ = seeds.tree("n01")
    answers: list[dict[str, Any]] = []
    waiter = threading.Thread(
        target=lambda: answers.append(reader.get(f"/tasks/{parent.id}", query_string="wait=30").json)
    )
    began = time.monotonic()
    waiter.start()
    waiter.join(0.5)
    assert waiter.is_alive()
    admin.post(f"/tasks/{parent.id}/terminate")
    waiter.join(25)
    assert time.monotonic() - began < 20
    assert answers[0]["status"] == "terminated"
    assert reader.get(f"/tasks/{parent.id}", query_string="wait=30").json["status"] == "terminated"
    assert reader.get(f"/tasks/{uuid4()}", query_string="wait=30").status_code == 404


def test_terminating_is_idempotent(admin: Client, reader: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree("n01")
    first = admin.post(f"/tasks/{parent.id}/terminate")
    assert (first.status_code, first.json["status"], first.json["terminated_by"]) == (200, "terminated", "admin")
    assert first.json["terminate"] is True
    again = admin.post(f"/tasks/{parent.id}/terminate/")
    assert (again.status_code, again.json["terminated"]) == (200, first.json["terminated"])
    assert reader.get(f"/tasks/{children[0].id}").json["status"] == "terminated"
    assert admin.post(f"/tasks/{uuid4()}/terminate").status_code == 404


def test_old_tasks_are_deleted_and_young_ones_kept(admin: Client, seeds: Seeds) -> None:
    seeds.tree("n01")
    for query in ("", "days=1", "days=36500", "days=None", "days=0"):
        result = admin("DELETE", "/tasks", query_string=query)
        assert (result.status_code, result.headers["Content-Type"].startswith("text/plain")) == (200, True)
    assert len(admin.get("/tasks").json) == 2


def test_zero_days_delete_all_that_has_ended(admin: Client, seeds: Seeds) -> None:
    open_task = seeds.task()
    ended, _ = seeds.tree("n01")
    admin.post(f"/tasks/{ended.id}/terminate")
    assert "deleted 2 tasks" in admin("DELETE", "/tasks", query_string="days=0").text
    assert [task["task_id"] for task in admin.get("/tasks").json] == [str(open_task.id)]


@pytest.mark.parametrize("query", ["layers=None", "builddata=None", "subtaskerrors=None", "wait=None"])
def test_none_is_not_given(reader: Client, seeds: Seeds, query: str) -> None:
    """As the deployed Python client writes what it was not given."""
    task = seeds.task()
    assert reader.get(f"/tasks/{task.id}", query_string=query).json == reader.get(f"/tasks/{task.id}").json


def failed_tree(admin: Client, seeds: Seeds) -> str:
    parent, _ = seeds.tree("n01", "n02")
    admin.post(f"/tasks/{parent.id}/terminate")
    return str(parent.id)


def test_the_failed_nodes_of_a_task_are_retried_with_one_call(admin: Client, seeds: Seeds) -> None:
    old = failed_tree(admin, seeds)
    keyed = admin.named(**{"Idempotency-Key": "again"})
    result = keyed.post("/tasks", {"retry_of": old})
    assert result.status_code == 201, result.text
    new = result.json
    assert (new["action"], new["design_ref"], new["retry_of"]) == ("deploy_nodes", "drydock://designs/x", old)
    assert new["node_filter"]["filter_set"][0]["node_names"] == ["n01", "n02"]
    assert keyed.post("/tasks", {"retry_of": old}).json["task_id"] == new["task_id"]
    busy = admin.post("/tasks", {"retry_of": old})
    assert (busy.status_code, busy.json["reason"]) == (409, "nothing_to_retry")
    assert new["task_id"] in busy.json["message"]
    admin.post(f"/tasks/{new['task_id']}/terminate")
    same = {"retry_of": old, "action": "deploy_node", "design_ref": "drydock://designs/x", "force": True}
    again = admin.post("/tasks", {**same, "expect_nodes": 2}).json
    assert (again["force"], again["expect_nodes"], again["all_nodes"]) == (True, 2, False)


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"action": "destroy_nodes"}, 400, "action"),
        ({"design_ref": "drydock://designs/y"}, 400, "design_ref"),
        ({"node_filter": {"filter_set_type": "union", "filter_set": []}}, 400, "node_filter"),
        ({"retry_of": "7"}, 400, "retry_of"),
        ({"retry_of": NOBODYS}, 404, "there is no task"),
        ({"retry_of": None}, 400, "action"),
        ({"force": "yes"}, 400, "force"),
    ],
)
def test_a_retry_that_cannot_be_says_why(
    admin: Client, seeds: Seeds, more: dict[str, Any], status: int, told: str
) -> None:
    result = admin.post("/tasks", {"retry_of": failed_tree(admin, seeds), **more})
    assert result.status_code == status
    assert result.json["message"].startswith(told)


def test_what_is_at_work_or_went_well_is_not_retried(admin: Client, reader: Client, seeds: Seeds) -> None:
    task = create(admin)
    open_one = admin.post("/tasks", {"retry_of": task["task_id"]})
    assert (open_one.status_code, open_one.json["reason"]) == (409, "task_not_ended")
    admin.post(f"/tasks/{task['task_id']}/terminate")
    empty = admin.post("/tasks", {"retry_of": task["task_id"]})
    assert (empty.status_code, empty.json["reason"]) == (409, "nothing_to_retry")
    assert reader.post("/tasks", {"retry_of": task["task_id"]}).status_code == 403


@pytest.mark.parametrize(
    "action", ["verify_site", "prepare_site", "verify_nodes", "verify_node", "relabel_nodes", "relabel_node"]
)
def test_every_action_can_be_asked_for(admin: Client, action: str) -> None:
    assert create(admin, action=action, force=True)["force"] is True


def test_a_password_in_a_design_ref_is_not_shown(admin: Client, reader: Client) -> None:
    created = admin.post("/tasks", {**BODY, "design_ref": "https://user:hunter2@127.0.0.1/design"})
    assert created.status_code == 201
    shown = [
        created,
        *(client.get(path) for client in (admin, reader) for path in ("/tasks", f"/tasks/{created.json['task_id']}")),
    ]
    assert not [answer.text for answer in shown if "hunter2" in answer.text]
    assert created.json["design_ref"] == "https://<hidden>@127.0.0.1/design"
